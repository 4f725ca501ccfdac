"""What holds for every method of the registry, and for a toy that any new one may start from."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import toy
from tests.methods.small import SMALL, SMALL_RUN
from wbc_tf.artefact.exported import WHOLE, Exported
from wbc_tf.artefact.weights import WeightsError
from wbc_tf.files.pictures import write_image
from wbc_tf.images import to_float, to_uint8
from wbc_tf.inference.cartoonizer import Cartoonizer, MemoryBudgetError
from wbc_tf.methods.registry import METHODS
from wbc_tf.serving.sample_photo import sample_photo
from wbc_tf.training.spec import ConversionError, MethodSpec

SPECS = [pytest.param(spec, id=spec.name) for spec in (*METHODS.values(), toy.SPEC)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Photos and cartoons, three of each, none of them square."""
    root = tmp_path_factory.mktemp("pictures")
    for kind in ("photo", "cartoon"):
        (root / kind).mkdir()
        for number, size in enumerate([(64, 80), (70, 66), (96, 65)]):
            write_image(root / kind / f"{number}.png", sample_photo(*size))
    return {f"{kind}_dir": str(root / kind) for kind in ("photo", "cartoon")}


@pytest.mark.parametrize("spec", SPECS)
def test_recipes_are_valid_explained_and_survive_json(spec: MethodSpec) -> None:
    presets = spec.config.presets()
    assert next(iter(presets)) == spec.name
    for config in presets.values():
        assert type(config).from_json(config.to_json()) == config
    for field in dataclasses.fields(spec.config):
        assert field.metadata["help"].endswith("."), field.name


@pytest.mark.parametrize("spec", SPECS)
def test_a_step_of_each_phase_in_half_precision(spec: MethodSpec, folders: dict[str, str]) -> None:
    config = spec.config(
        **folders,
        patch_size=32,
        batch_size=2,
        pretrain_steps=1,
        steps=1,
        precision="mixed_bfloat16",
        vgg="vgg19",
        vgg_layer="block1_conv2",
        vgg_weights="random",
        **SMALL_RUN.get(spec.name, {}),
    )
    method = spec.build(config)
    (batch,) = method.batches(start_step=0).take(1)
    for step, phase in enumerate(method.phases()):
        figures = phase.train_step(batch, tf.constant(step, tf.int64))
        assert "generator_loss" in figures
        for name, value in figures.items():
            assert value.dtype == tf.float32, name
            assert np.isfinite(value), name
    weights = method.generator.variables
    assert {variable.dtype for variable in weights} == {tf.float32}
    # After one update of it the average is the weights: nothing is left of its start.
    averaged = method.averaged_generator()
    assert averaged.compute_dtype == "float32"
    for ours, theirs in zip(averaged.get_weights(), method.generator.get_weights()):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    for name, pictures in method.sample(method.sample_photos()[:1]).items():
        assert pictures.shape == (1, 32, 32, 3), name


def _cartoonizer(exported: Exported, generator: tf.keras.Model, **options: Any) -> Cartoonizer:
    def coefficients(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        model = exported.coefficients(generator, **inputs)
        return dict(zip(("scale", "offset"), model))

    return Cartoonizer(coefficients, metadata=exported.metadata(generator), **options)


@pytest.mark.parametrize("spec", SPECS)
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


@pytest.mark.parametrize("spec", SPECS)
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


@pytest.mark.parametrize("spec", [param for param in SPECS if param.values[0].converter])
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
