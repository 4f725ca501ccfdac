from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.model_directory import read_metadata, save_model
from wbc_tf.methods import exporting
from wbc_tf.methods.exporting import (
    ExportError,
    Source,
    export_files,
    export_server,
    source_of,
)
from wbc_tf.methods.runs import NO_LICENCE, RunNotFoundError
from wbc_tf.serving.settings import ServingSettings


@pytest.fixture
def source(tiny_model: Path) -> Source:
    return source_of(model=str(tiny_model), workdir=None, licence=None)


def test_a_models_own_statements_go_along(tiny_model: Path, source: Source) -> None:
    assert source.name == "tiny"
    assert source.metadata["licence"] == "none"
    assert source.short_side == 720
    assert "serving" not in source.metadata
    again = source_of(model=str(tiny_model), workdir=None, licence="CC BY 4.0")
    assert again.metadata["licence"] == "CC BY 4.0"


def test_a_run_needs_no_pictures(run_folder: Path) -> None:
    source = source_of(model=None, workdir=str(run_folder), licence=None)
    assert (source.name, source.metadata["step"]) == ("mine", 12)
    assert source.metadata["licence"] == NO_LICENCE
    assert source.described == f"{run_folder}, step 12"


def test_what_cannot_be_exported_is_said(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError, match="no training run"):
        source_of(model=None, workdir=str(tmp_path), licence=None)
    (tmp_path / "config.json").write_text((run_folder / "config.json").read_text())
    with pytest.raises(ExportError, match="no checkpoint yet"):
        source_of(model=None, workdir=str(tmp_path), licence=None)
    dense = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])
    signature = tf.function(dense, input_signature=[tf.TensorSpec([None, 1])])
    metadata = {"method": "sketch", "licence": "none"}
    version = save_model(
        tmp_path / "m", model=dense, signatures={"f": signature}, metadata=metadata
    )
    with pytest.raises(ExportError, match="of method 'sketch', unknown here"):
        source_of(model=str(version), workdir=None, licence=None)


def test_the_models_own_delta_is_what_server_and_phone_apply(
    source: Source, tmp_path: Path
) -> None:
    source.metadata["delta"] = 0.0
    version, told = export_server(source, tmp_path / "m", ServingSettings(short_side=40))
    assert "predict_float differs by" in told
    photo = tf.constant(np.random.default_rng(0).uniform(-1, 1, (1, 9, 14, 3)), tf.float32)
    scale, offset = source.exported.coefficients(source.generator, photo, 1.0, 0.0)
    signature = tf.saved_model.load(str(version)).signatures["coefficients"]
    unfiltered = signature(photo=photo, strength=tf.constant(1.0), delta=tf.constant(0.0))
    np.testing.assert_allclose(unfiltered["offset"], offset, atol=1e-5)
    assert read_metadata(version)["delta"] == 0.0

    lite, rows = export_files(source, tmp_path / "m-tflite", "tflite", size=(9, 14))
    assert "| float32 |" in rows
    from wbc_tf.serving.tflite import run_tflite

    drawn = run_tflite((lite / "float32.tflite").read_bytes(), photo.numpy())
    np.testing.assert_allclose(drawn, scale * photo + offset, atol=1e-4)
    assert json.loads((lite / "model.json").read_text())["delta"] == 0.0


def test_without_the_onnx_extra_it_is_asked_for(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ImportError("No module named 'onnx'")

    monkeypatch.setattr(exporting, "export_onnx", missing)
    with pytest.raises(ExportError, match=r"pip install 'wbc_tf\[onnx\]'"):
        export_files(source, tmp_path / "m-onnx", "onnx", size=(8, 8))
    assert list(tmp_path.iterdir()) == []
