from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf import convert
from wbc_tf.artefact.exported import load_generator
from wbc_tf.artefact.weights import WeightsError
from wbc_tf.methods.animegan_v2.convert import CONVERTER, LICENCE, generator_from_checkpoint
from wbc_tf.methods.animegan_v2.exported import EXPORTED
from wbc_tf.methods.animegan_v2.generator import Generator
from wbc_tf.training.spec import ConversionError


def _save(values: dict[str, np.ndarray], folder: Path) -> str:
    """A checkpoint as TensorFlow 1's Saver wrote it."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, value in values.items():
            tf.compat.v1.Variable(value, name=name)
        session.run(tf.compat.v1.global_variables_initializer())
        return tf.compat.v1.train.Saver().save(session, str(folder / "other.ckpt"))


@pytest.fixture(scope="module")
def lite_values(animegan: Path) -> dict[str, np.ndarray]:
    with np.load(animegan / "generator_lite.npz") as file:
        return {key[4:]: file[key] for key in file.files if key.startswith("var/")}


def test_the_command_converts_and_keeps_the_licence(
    animegan: Path, hayao: Generator, tmp_path: Path, call: Callable
) -> None:
    output = tmp_path / "hayao"
    checkpoint = animegan / "checkpoint" / "Hayao.ckpt"
    outcome = call(
        convert, "--method=animegan_v2", f"--checkpoint={checkpoint}", f"--output={output}"
    )
    assert outcome.status == 0, outcome.err
    assert LICENCE in outcome.out
    metadata = json.loads((output / "1/assets.extra/model.json").read_text("utf-8"))
    assert metadata["licence"] == LICENCE
    assert "non-commercial" in LICENCE
    assert metadata["origin"] == "the authors' checkpoint Hayao.ckpt"
    assert metadata["generator"] == {"network": "full"}
    assert metadata["match_brightness"] is True
    again = load_generator(EXPORTED, output)
    for ours, theirs in zip(again.get_weights(), hayao.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_the_small_generator_is_told_by_its_variables(
    lite_values: dict[str, np.ndarray], lite: Generator, tmp_path: Path
) -> None:
    generator = generator_from_checkpoint(_save(lite_values, tmp_path))
    assert generator.network == "lite"
    for ours, theirs in zip(generator.get_weights(), lite.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_all_that_does_not_fit_is_named(lite_values: dict[str, np.ndarray], tmp_path: Path) -> None:
    root = "generator/G_MODEL"
    values = dict(lite_values)
    values[f"{root}/more"] = values.pop(f"{root}/res2_1/beta")
    values[f"{root}/Conv/weights"] = values[f"{root}/Conv/weights"][:5]
    with pytest.raises(WeightsError) as error:
        generator_from_checkpoint(_save(values, tmp_path))
    for line in (
        f"missing: {root}/res2_1/beta",
        f"not expected: {root}/more",
        f"wrong shape: {root}/Conv/weights is [5, 7, 3, 32], expected [7, 7, 3, 32]",
    ):
        assert line in str(error.value)


def test_where_no_checkpoint_is(tmp_path: Path, call: Callable) -> None:
    with pytest.raises(ConversionError, match="no TensorFlow checkpoint"):
        CONVERTER.load(str(tmp_path))
    # No hash of the published files is known, so nothing is fetched.
    outcome = call(convert, "--method=animegan_v2", "--download", f"--output={tmp_path / 'm'}")
    assert outcome.status != 0
    assert "nothing of animegan_v2 can be fetched" in outcome.err
