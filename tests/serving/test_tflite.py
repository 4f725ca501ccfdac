from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.exported import load_generator
from wbc_tf.images import to_float
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.serving import tflite
from wbc_tf.serving.parity import ParityError
from wbc_tf.serving.sample_photo import sample_photo
from wbc_tf.serving.tflite import VARIANTS, convert, export_tflite, run_tflite
from wbc_tf.serving.variants import VariantFile


@pytest.fixture(scope="module")
def network(tiny_model: Path) -> Any:
    return partial(EXPORTED.coefficients, load_generator(EXPORTED, tiny_model))


def cartoon(network: Any, photo: tf.Tensor) -> tf.Tensor:
    scale, offset = network(photo)
    return scale * photo + offset


def expected(network: Any, photo: np.ndarray) -> np.ndarray:
    return cartoon(network, tf.constant(photo)).numpy()


@pytest.fixture(scope="module")
def written(
    network: Any, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[VariantFile]]:
    directory = tmp_path_factory.mktemp("lite") / "tiny-tflite"
    metadata = {"licence": "none", "delta": 1.0}
    return export_tflite(directory, network, size=None, metadata=metadata)


def test_all_variants_with_their_figures(written: tuple[Path, list[VariantFile]]) -> None:
    version, rows = written
    assert [row.variant for row in rows] == list(VARIANTS)
    assert sorted(p.name for p in version.iterdir()) == [
        "float16.tflite", "float32.tflite", "int8.tflite", "model.json",
    ]  # fmt: skip
    for row in rows:
        assert row.size == (version / f"{row.variant}.tflite").stat().st_size
    float32, float16, int8 = rows
    assert float32.max_difference <= 1
    assert float32.mean_difference <= float16.mean_difference <= int8.mean_difference
    described = json.loads((version / "model.json").read_text())
    assert described["licence"] == "none"
    assert [each["variant"] for each in described["tflite"]["variants"]] == list(VARIANTS)


def test_a_free_size_model_takes_any_size(
    network: Any, written: tuple[Path, list[VariantFile]]
) -> None:
    content = (written[0] / "float32.tflite").read_bytes()
    for size in [(1, 1), (30, 45), (64, 32)]:
        photo = to_float(sample_photo(*size)[None])
        np.testing.assert_allclose(
            run_tflite(content, photo), expected(network, photo), atol=1e-4, err_msg=str(size)
        )


def test_smaller_types_make_smaller_files() -> None:
    # The tiny model is mostly graph, so here it takes one with weights.
    network = partial(EXPORTED.coefficients, EXPORTED.build(channels=8, blocks=2))
    sizes = [
        len(convert(partial(cartoon, network), variant=variant, size=(16, 16)))
        for variant in VARIANTS
    ]
    assert sizes[0] > 1.5 * sizes[1] > 1.5 * sizes[2]


def test_a_model_that_draws_something_else_is_not_written(
    network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def brighter(own: Any, **options: Any) -> bytes:
        return convert(lambda photo: own(photo) + 0.1, **options)

    monkeypatch.setattr(tflite, "convert", brighter)
    with pytest.raises(ParityError, match=r"float32\.tflite: differs .* grey levels on average"):
        export_tflite(tmp_path / "m", network, size=(16, 16), metadata={"delta": 1.0})
    assert list(tmp_path.iterdir()) == []
