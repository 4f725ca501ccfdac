from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.losses.adversarial import ADVERSARIAL_LOSSES

LOGITS = np.random.default_rng(0).normal(size=[2, 3, 5, 1]).astype(np.float32)
SIGMOID = 1.0 / (1.0 + np.exp(-LOGITS.astype(np.float64)))
# From the definitions, in float64: the cost of real, and of generated.
EXPECTED = {
    "lsgan": (np.mean((LOGITS - 1.0) ** 2), np.mean(LOGITS**2)),
    "log": (-np.mean(np.log(SIGMOID)), -np.mean(np.log(1.0 - SIGMOID))),
}


@pytest.mark.parametrize("kind", ADVERSARIAL_LOSSES)
def test_agrees_with_the_definition_and_pulls_scores_apart(kind: str) -> None:
    loss = ADVERSARIAL_LOSSES[kind]
    for function, expected, sign in zip(loss, EXPECTED[kind], (-1, 1)):
        for run in (function, tf.function(function)):
            np.testing.assert_allclose(run(tf.constant(LOGITS)), expected, rtol=1e-5)
        near = tf.constant(0.5 + 0.01 * LOGITS)
        with tf.GradientTape() as tape:
            tape.watch(near)
            value = function(near)
        assert np.all(sign * tape.gradient(value, near) > 0)


def test_log_loss_stays_finite_where_a_sigmoid_rounds_to_zero() -> None:
    loss = ADVERSARIAL_LOSSES["log"]
    np.testing.assert_allclose(loss.real(tf.constant([-500.0])), 500.0)
    np.testing.assert_allclose(loss.fake(tf.constant([300.0])), 300.0)


@pytest.mark.parametrize("kind", ADVERSARIAL_LOSSES)
def test_half_precision_logits_are_summed_in_float32(kind: str) -> None:
    logits = tf.cast(tf.fill([1, 300, 300, 1], 3.0), tf.float16)  # 9e4 squares of 4: above 65504
    for function in ADVERSARIAL_LOSSES[kind]:
        assert function(logits).dtype == tf.float32
        assert np.isfinite(function(logits))
