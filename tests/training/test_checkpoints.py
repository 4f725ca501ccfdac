from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.weights import WeightsError
from wbc_tf.training.checkpoints import RunCheckpoints


def state(*, filters=3, layers=1, loss_scaling=False, rate=0.001):
    model = tf.keras.Sequential(
        [tf.keras.layers.Conv2D(filters, 1, name=f"conv_{i}.a") for i in range(layers)]
    )
    model.build([None, 4, 4, 3])
    optimizer = tf.keras.optimizers.Adam(rate, use_ema=True)
    if loss_scaling:
        optimizer = tf.keras.mixed_precision.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return {"model": model, "optimizer": optimizer}


@pytest.mark.parametrize("loss_scaling", [False, True])
def test_everything_comes_back(tmp_path, loss_scaling):
    saved = state(loss_scaling=loss_scaling)
    for variable in saved["optimizer"].variables:
        variable.assign(tf.cast(tf.fill(variable.shape, 7), variable.dtype))
    RunCheckpoints(tmp_path, saved).save(42)

    fresh = state(loss_scaling=loss_scaling)
    assert RunCheckpoints(tmp_path, fresh).restore() == 42
    for part in ("model", "optimizer"):
        for ours, theirs in zip(fresh[part].variables, saved[part].variables):
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"layers": 2}, "missing: model/layer_with_weights-1/kernel"),
        ({"filters": 5}, "wrong shape: model/layer_with_weights-0/kernel is"),
        ({"loss_scaling": True}, "missing: optimizer/loss_scale/current_loss_scale"),
    ],
)
def test_another_network_is_refused_by_name_and_untouched(tmp_path, other, expected):
    RunCheckpoints(tmp_path, state()).save(1)
    fresh = state(**other)
    before = [variable.numpy() for variable in fresh["model"].variables]
    with pytest.raises(WeightsError, match=expected):
        RunCheckpoints(tmp_path, fresh).restore()
    for ours, theirs in zip(fresh["model"].variables, before):
        np.testing.assert_array_equal(ours.numpy(), theirs)


def test_left_over_names_are_refused(tmp_path):
    RunCheckpoints(tmp_path, state(layers=2)).save(1)
    with pytest.raises(WeightsError, match="not expected: model/layer_with_weights-1/bias"):
        RunCheckpoints(tmp_path, state()).restore()


def test_a_part_is_read_whatever_its_learning_rate_was(tmp_path):
    saved = state(rate=tf.keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))
    saved["model"].variables[0].assign(tf.fill([1, 1, 3, 3], 7.0))
    RunCheckpoints(tmp_path, {**saved, "other": tf.Variable(1.0)}).save(3)
    fresh = state()
    with pytest.raises(WeightsError, match="_current_learning_rate"):
        RunCheckpoints(tmp_path, {**fresh, "other": tf.Variable(1.0)}).restore()
    assert RunCheckpoints(tmp_path, fresh, partial=True).restore() == 3
    np.testing.assert_array_equal(fresh["model"].variables[0], tf.fill([1, 1, 3, 3], 7.0))
    with pytest.raises(WeightsError, match="missing: model/layer_with_weights-1/kernel"):
        RunCheckpoints(tmp_path, state(layers=2), partial=True).restore()


def test_the_last_three_are_kept(tmp_path):
    checkpoints = RunCheckpoints(tmp_path, state())
    for step in (1, 2, 3, 4):
        checkpoints.save(step)
    assert sorted(path.stem for path in tmp_path.glob("*.index")) == ["step-2", "step-3", "step-4"]
    assert checkpoints.latest == str(tmp_path / "step-4")


def test_an_older_one_comes_back_by_its_path(tmp_path):
    saved = state()
    checkpoints = RunCheckpoints(tmp_path, saved)
    assert checkpoints.kept == {}
    for step in (5, 9):
        saved["model"].variables[0].assign(tf.fill([1, 1, 3, 3], float(step)))
        checkpoints.save(step)
    fresh = state()
    others = RunCheckpoints(tmp_path, fresh)
    assert others.kept == {5: str(tmp_path / "step-5"), 9: str(tmp_path / "step-9")}
    for step, path in others.kept.items():
        assert others.restore(path) == step
        np.testing.assert_array_equal(fresh["model"].variables[0], tf.fill([1, 1, 3, 3], step))


def test_a_checkpoint_that_is_gone_is_not_kept(tmp_path):
    checkpoints = RunCheckpoints(tmp_path, state())
    for step in (5, 9):
        checkpoints.save(step)
    (tmp_path / "step-5.index").unlink()
    assert checkpoints.kept == {9: str(tmp_path / "step-9")}


def test_nothing_to_resume_from_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint to resume from"):
        RunCheckpoints(tmp_path, state()).restore()
