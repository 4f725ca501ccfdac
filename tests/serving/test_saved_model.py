from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.model_directory import load_signatures, read_metadata
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.methods.white_box.generator import build_generator
from wbc_tf.serving.saved_model import save_generator
from wbc_tf.serving.settings import ServingSettings


def test_what_is_stated_replaces_the_methods_defaults_and_is_what_the_graph_does(
    tmp_path: Path,
) -> None:
    generator = build_generator(channels=2, blocks=1)
    metadata = {"licence": "none", "delta": 0.25, "short_side": 48}
    version = save_generator(EXPORTED, generator, tmp_path / "m", metadata=metadata)
    stated = read_metadata(version)
    assert (stated["delta"], stated["short_side"]) == (0.25, 48)
    assert stated["serving"]["short_side"] == 48
    photo = tf.constant(np.random.default_rng(0).uniform(-1, 1, (1, 9, 14, 3)), tf.float32)
    predict = load_signatures(version)["predict_float"]
    expected = predict(photo=photo, strength=tf.constant(1.0), delta=tf.constant(0.25))["cartoon"]
    np.testing.assert_array_equal(predict(photo=photo)["cartoon"], expected)
    scale, offset = EXPORTED.coefficients(generator, photo, 1.0, 0.25)
    np.testing.assert_allclose(expected, scale * photo + offset, atol=1e-5)


def test_settings_of_a_server_go_before_the_models_working_resolution(tmp_path: Path) -> None:
    version = save_generator(
        EXPORTED,
        build_generator(channels=2, blocks=1),
        tmp_path / "m",
        metadata={"licence": "none"},
        settings=ServingSettings(short_side=100, encoding="jpeg"),
    )
    stated = read_metadata(version)
    assert stated["short_side"] == 720
    assert (stated["serving"]["short_side"], stated["serving"]["encoding"]) == (100, "jpeg")


def test_a_model_without_a_licence_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="licence"):
        save_generator(EXPORTED, build_generator(channels=2, blocks=1), tmp_path / "m", metadata={})
    assert not (tmp_path / "m").exists()
