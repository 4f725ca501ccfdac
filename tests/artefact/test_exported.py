from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.exported import WHOLE, Exported, load_generator
from wbc_tf.artefact.model_directory import read_metadata, save_model
from wbc_tf.artefact.receptive_field import ReceptiveField
from wbc_tf.artefact.weights import WeightsError
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.methods.white_box.generator import build_generator
from wbc_tf.serving.saved_model import save_generator


@pytest.mark.parametrize(
    ("reach", "stated"),
    [(WHOLE, "whole"), (ReceptiveField(halo=7, size_multiple=4), {"halo": 7, "grid": 4})],
)
def test_what_the_model_directory_says_of_a_generator(reach: object, stated: object) -> None:
    exported = Exported(
        method="sketch",
        build=build_generator,
        coefficients=lambda *_: pytest.fail("nothing is drawn here"),
        reach=lambda generator: reach,
        bytes_per_pixel=lambda generator: 10 * generator.get_config()["channels"],
        short_side=512,
        delta=0.5,
    )
    assert exported.metadata(build_generator(channels=2, blocks=1)) == {
        "method": "sketch",
        "generator": {"channels": 2, "blocks": 1, "bound": "none"},
        "reach": stated,
        "bytes_per_pixel": 20,
        "short_side": 512,
        "delta": 0.5,
    }


def test_the_generator_comes_back_weight_for_weight_and_a_lie_is_refused(tmp_path: Path) -> None:
    generator = build_generator(channels=2, blocks=2)
    version = save_generator(
        EXPORTED, generator, tmp_path / "m", metadata={"licence": "none", "origin": "me"}
    )
    again = load_generator(EXPORTED, version)
    assert again.get_config() == generator.get_config()
    for variable, value in zip(again.variables, generator.get_weights()):
        np.testing.assert_array_equal(variable, value)
    metadata = read_metadata(version)
    assert metadata["method"] == "white_box"
    assert metadata["generator"] == generator.get_config()
    assert (metadata["licence"], metadata["origin"]) == ("none", "me")

    metadata["generator"]["blocks"] = 3
    (version / "assets.extra" / "model.json").write_text(json.dumps(metadata))
    with pytest.raises(WeightsError, match="missing: block_2/conv1/bias"):
        load_generator(EXPORTED, version)


def test_another_methods_model_is_refused_by_name(tmp_path: Path) -> None:
    dense = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])
    version = save_model(
        tmp_path / "m",
        model=dense,
        signatures={"f": tf.function(dense, input_signature=[tf.TensorSpec([None, 1])])},
        metadata={"method": "sketch", "licence": "none"},
    )
    with pytest.raises(ValueError, match="method 'sketch', not 'white_box'"):
        load_generator(EXPORTED, version)
