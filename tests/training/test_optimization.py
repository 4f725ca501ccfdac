from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.training.config import TrainingConfig
from wbc_tf.training.optimization import AveragedGenerator, make_optimizer, update


def _line(dtype):
    """y = w x, the smallest generator."""
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, use_bias=False, dtype=dtype)])
    model.build([None, 1])
    return model


def test_an_overflow_under_loss_scaling_is_skipped():
    optimizer = tf.keras.mixed_precision.LossScaleOptimizer(
        tf.keras.optimizers.Adam(0.1), initial_scale=2.0**120
    )
    variable = tf.Variable(3.0)
    optimizer.build([variable])
    with tf.GradientTape(persistent=True) as tape:
        harmless, huge = 2.0 * variable, 2.0**20 * variable
    assert update(optimizer, tape, huge, [variable]) == 0.0
    assert variable.numpy() == 3.0
    assert optimizer.initial_scale / optimizer.loss_scale == 2.0
    assert update(optimizer, tape, harmless, [variable]) == 2.0
    assert variable.numpy() < 3.0


def test_the_average_under_loss_scaling_counts_no_skipped_step() -> None:
    """Nine of ten steps overflow; the weight stays 3 and its average must be 3."""
    config = TrainingConfig(precision="mixed_float16", ema_momentum=0.9)
    average = AveragedGenerator(_line, config)
    average.model.set_weights([np.array([[3.0]])])
    weight = average.model.trainable_variables[0]

    @tf.function
    def step(huge):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(weight) * tf.where(huge, 1e38, 0.0)
        return average.update(tape, loss)

    for number in range(20):
        step(tf.constant(number % 2 == 0))
    np.testing.assert_allclose(average.averaged().get_weights()[0], [[3.0]], rtol=1e-5)


def test_the_average_forgets_its_start_and_asking_changes_nothing() -> None:
    average = AveragedGenerator(_line, TrainingConfig(ema_momentum=0.5, learning_rate=1.0))
    before = average.model.get_weights()[0]
    np.testing.assert_array_equal(average.averaged().get_weights()[0], before)
    seen = []
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(average.model(tf.ones([1, 1])))
        average.update(tape, loss)
        seen.append(average.model.get_weights()[0])
    expected = np.average(seen, axis=0, weights=[0.25, 0.5, 1.0])
    np.testing.assert_allclose(average.averaged().get_weights()[0], expected, rtol=1e-5)
    np.testing.assert_array_equal(average.model.get_weights()[0], seen[-1])


def test_adam_is_the_one_of_the_released_programs() -> None:
    variable = tf.Variable([1.0])
    config = TrainingConfig(learning_rate=0.5, beta_1=0.25, beta_2=0.75)
    optimizer = make_optimizer(config, [variable])
    settings = optimizer.get_config()
    assert (settings["beta_1"], settings["beta_2"], settings["epsilon"]) == (0.25, 0.75, 1e-8)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(3.0 * variable)
    assert float(update(optimizer, tape, loss, [variable])) == pytest.approx(3.0)
    np.testing.assert_allclose(variable, [0.5], rtol=1e-5)  # the first step is the rate's
