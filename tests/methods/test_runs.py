from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.exported import load_generator
from wbc_tf.artefact.model_directory import read_metadata
from wbc_tf.artefact.weights import WeightsError
from wbc_tf.methods.runs import (
    NO_LICENCE,
    RunError,
    RunNotFoundError,
    RunRecord,
    TrainedGenerator,
    export_generator,
    read_run,
    run_metadata,
)
from wbc_tf.methods.white_box import SPEC
from wbc_tf.training.checkpoints import RunCheckpoints


def test_a_run_is_read_back_as_it_was_set_up(run_folder: Path) -> None:
    record = read_run(run_folder)
    assert record.spec is SPEC
    assert (record.config.seed, record.config.vgg_layer) == (3, "block1_conv2")
    assert record.commit == "0123abc"
    assert run_metadata(record, step=7)["config"] == json.loads(record.config.to_json())
    assert run_metadata(record, step=7)["licence"] == NO_LICENCE


def test_the_generator_comes_back_without_the_pictures(run_folder: Path, tmp_path: Path) -> None:
    assert not Path(read_run(run_folder).config.photo_dir).exists()
    trained = TrainedGenerator(run_folder)
    assert trained.restore() == 12
    # Before the adversarial steps the moving average is the weights themselves.
    checkpoint = tf.train.load_checkpoint(str(run_folder / "checkpoints" / "step-12"))
    stem = checkpoint.get_tensor("generator/stem/kernel/.ATTRIBUTES/VARIABLE_VALUE")
    np.testing.assert_array_equal(trained.averaged().stem.kernel, stem)
    version = export_generator(trained.record, trained.averaged(), tmp_path / "m", step=12)
    np.testing.assert_array_equal(load_generator(SPEC.exported(), version).stem.kernel, stem)
    assert read_metadata(version)["step"] == 12


def test_another_network_in_the_checkpoint_is_refused(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((run_folder / "config.json").read_text())
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        TrainedGenerator(tmp_path).restore()
    other = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])
    RunCheckpoints(tmp_path / "checkpoints", {"generator": other}).save(1)
    with pytest.raises(WeightsError, match="missing: generator/"):
        TrainedGenerator(tmp_path).restore()


def test_a_folder_without_a_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError, match=f"{tmp_path}: no training run"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "Expecting property name"),
        ('{"config": {}}', "method"),
        ('{"method": "nobody", "config": {}}', "no method 'nobody'"),
        ('{"method": "white_box", "config": {"seed": -1}}', "seed is -1"),
        ('{"method": "white_box", "config": {"flavour": 1}}', "flavour"),
    ],
)
def test_a_run_that_cannot_be_set_up_again(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(RunError, match=rf"config\.json: this run cannot .*{message}"):
        read_run(tmp_path)


def test_a_record_without_a_commit_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"method": "white_box", "config": {}}')
    assert read_run(tmp_path) == RunRecord(SPEC, SPEC.config(), "not recorded")
