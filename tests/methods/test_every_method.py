"""What holds for every method of the registry, and for a toy that any new one may start from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tensorflow as tf

from tests.methods.small import SMALL, SPECS
from wbc_tf import cartoonize, compare, evaluate, export
from wbc_tf.artefact.exported import WHOLE, Exported, load_generator
from wbc_tf.artefact.model_directory import load_signatures, read_metadata
from wbc_tf.artefact.weights import WeightsError
from wbc_tf.files.pictures import read_rgb
from wbc_tf.images import to_float, to_uint8
from wbc_tf.inference.cartoonizer import Cartoonizer, MemoryBudgetError
from wbc_tf.methods.registry import METHODS
from wbc_tf.methods.runs import NO_LICENCE
from wbc_tf.serving.sample_photo import sample_photo
from wbc_tf.serving.tflite import run_tflite
from wbc_tf.training.spec import ConversionError, MethodSpec

every_method = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


@every_method
def test_recipes_are_valid_explained_and_survive_json(spec: MethodSpec) -> None:
    presets = spec.config.presets()
    assert next(iter(presets)) == spec.name
    for config in presets.values():
        assert type(config).from_json(config.to_json()) == config
    for field in dataclasses.fields(spec.config):
        assert field.metadata["help"].endswith("."), field.name


def _cartoonizer(exported: Exported, generator: tf.keras.Model, **options: Any) -> Cartoonizer:
    def coefficients(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        model = exported.coefficients(generator, **inputs)
        return dict(zip(("scale", "offset"), model))

    return Cartoonizer(coefficients, metadata=exported.metadata(generator), **options)


@every_method
def test_any_size_is_drawn_and_strength_leads_from_the_photo(spec: MethodSpec) -> None:
    exported = spec.exported()
    assert exported.method == spec.name
    tf.keras.utils.set_random_seed(1)
    generator = exported.build(**SMALL.get(spec.name, {}))
    again = exported.build(**generator.get_config())
    assert [v.shape for v in again.variables] == [v.shape for v in generator.variables]
    cartoonize = _cartoonizer(exported, generator)
    for size in [(1, 1), (37, 53)]:
        photo = sample_photo(*size)
        scale, offset = exported.coefficients(
            generator, tf.constant(to_float(photo[None])), 1.0, exported.delta
        )
        expected = to_uint8((scale * to_float(photo[None]) + offset).numpy())[0]
        np.testing.assert_array_equal(cartoonize(photo), expected)
        np.testing.assert_array_equal(cartoonize(photo, strength=0.0), photo)


@every_method
def test_over_the_budget_tiles_or_an_error_that_helps(spec: MethodSpec) -> None:
    exported = spec.exported()
    generator = exported.build(**SMALL.get(spec.name, {}))
    if exported.reach(generator) != WHOLE:
        whole = _cartoonizer(exported, generator)
        tiled = _cartoonizer(exported, generator, memory_budget=4)
        photo = sample_photo(203, 410)
        difference = np.abs(tiled(photo, short_side=0).astype(int) - whole(photo, short_side=0))
        assert difference.max() <= 1
        return
    tight = _cartoonizer(exported, generator, memory_budget=1)
    with pytest.raises(MemoryBudgetError, match="Choose a smaller --short_side"):
        tight(sample_photo(400, 420), short_side=0)


@pytest.mark.parametrize("spec", METHODS.values(), ids=METHODS)
def test_converters_state_a_licence_and_name_what_they_cannot_read(
    spec: MethodSpec, tmp_path: Path
) -> None:
    assert spec.converter is not None
    converter = spec.converter()
    assert len(converter.licence) > 10
    assert converter.expects
    (tmp_path / "no-weights").write_text("a text")
    for path in (tmp_path / "nowhere", tmp_path / "no-weights"):
        with pytest.raises((ConversionError, WeightsError, OSError), match=path.name):
            converter.load(str(path))


@dataclass
class Trained:
    """A run's folder, a photo, and the network."""

    workdir: Path
    photo: np.ndarray
    coefficients: Callable[..., tuple[tf.Tensor, tf.Tensor]]
    delta: float

    def cartoon(self, strength: float = 1.0, delta: float | None = None) -> np.ndarray:
        """What the network draws of the photo."""
        photo = tf.constant(self.photo)
        scale, offset = self.coefficients(photo, strength, self.delta if delta is None else delta)
        return (scale * photo + offset).numpy()


@pytest.fixture(scope="module", params=SPECS)
def trained(request: pytest.FixtureRequest, fresh_runs: Callable[[str], Path]) -> Iterator[Trained]:
    """A finished run of a registered method; its pictures and VGG are gone."""
    name = request.param
    workdir = fresh_runs(name) / "unbroken"
    exported = SPECS[name].exported()
    network = partial(exported.coefficients, load_generator(exported, workdir / "model"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(METHODS, name, SPECS[name])
        yield Trained(workdir, to_float(sample_photo(24, 36)[None]), network, exported.delta)


def _ok(outcome: Any) -> str:
    assert outcome.status == 0, outcome.err
    return outcome.out


def test_a_server_gets_it(trained: Trained, call: Callable, tmp_path: Path) -> None:
    arguments = (f"--workdir={trained.workdir}", f"--output={tmp_path}", "--short_side=40")
    # The export itself compares three signatures with the network, see wbc_tf/serving/parity.py.
    assert "Against the network: predict_float differs by" in _ok(call(export, *arguments))
    version = tmp_path / "unbroken" / "1"
    stated = read_metadata(version)
    recorded = json.loads((trained.workdir / "config.json").read_text())
    assert stated["step"] == 6
    assert stated["config"] == recorded["config"]
    assert stated["training_commit"] == recorded["commit"]
    assert stated["licence"] == NO_LICENCE
    inputs = {"photo": trained.photo, "strength": tf.constant(0.5)}
    signatures = load_signatures(version)
    half = (trained.photo + trained.cartoon()) / 2
    np.testing.assert_allclose(signatures["predict_float"](**inputs)["cartoon"], half, atol=1e-4)
    found = signatures["coefficients"](**inputs)
    drawn = found["scale"] * trained.photo + found["offset"]
    np.testing.assert_allclose(drawn, half, atol=1e-4)


def test_a_phone_gets_it(trained: Trained, call: Callable, tmp_path: Path) -> None:
    arguments = (f"--workdir={trained.workdir}", f"--output={tmp_path}", "--format=tflite")
    _ok(call(export, *arguments, "--size=24x36"))
    content = (tmp_path / "unbroken-tflite" / "1" / "float32.tflite").read_bytes()
    np.testing.assert_allclose(run_tflite(content, trained.photo), trained.cartoon(), atol=1e-4)


def test_onnx_runtime_draws_the_same(trained: Trained, call: Callable, tmp_path: Path) -> None:
    arguments = (f"--workdir={trained.workdir}", f"--output={tmp_path}", "--format=onnx")
    _ok(call(export, *arguments))
    file = tmp_path / "unbroken-onnx" / "1" / "float32.onnx"
    graph = onnx.load(str(file)).graph
    stored = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    settings = {each.name for each in graph.input} - {"photo"}
    assert settings >= {"strength"}  # and delta, where the method has a filter
    for name in settings:
        assert stored[name] == {"strength": 1.0, "delta": trained.delta}[name], name
    photo = to_uint8(trained.photo)[0]
    for settings in ({}, {"strength": 0.5}, {"delta": 1.0}):
        drawn = Cartoonizer.load(file)(photo, **settings).astype(int)
        assert np.abs(drawn - to_uint8(trained.cartoon(**settings))[0]).max() <= 1, settings


def test_it_is_drawn_with_compared_and_measured(
    trained: Trained, call: Callable, folders: Path, tmp_path: Path
) -> None:
    model, photos = f"--model={trained.workdir / 'model'}", folders / "photo"
    _ok(call(cartoonize, model, f"--input={photos}", f"--output={tmp_path / 'drawn'}"))
    assert read_rgb(tmp_path / "drawn" / "0.png").shape == read_rgb(photos / "0.png").shape
    _ok(call(compare, model, f"--photos={photos}", f"--output={tmp_path / 'sheet'}"))
    assert (tmp_path / "sheet" / "contact_sheet.png").is_file()
    arguments = (f"--workdir={trained.workdir}", f"--photos={photos}", "--metrics=flatness")
    _ok(call(evaluate, *arguments, f"--reference={folders / 'cartoon'}"))
    (line,) = (trained.workdir / "evaluation.jsonl").read_text().splitlines()
    assert json.loads(line)["step"] == 6
    assert len(json.loads(line)["figures"]) == 6
