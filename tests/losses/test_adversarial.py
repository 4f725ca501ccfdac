from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.losses.adversarial import ADVERSARIAL_LOSSES

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=[2, 3, 5, 1]).astype(np.float32)
FAKE = RNG.normal(size=[2, 3, 5, 1]).astype(np.float32)


def _sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x.astype(np.float64)))


# From the definitions, in float64.
EXPECTED = {
    "lsgan": (
        np.mean((FAKE - 1.0) ** 2),
        (np.mean((REAL - 1.0) ** 2) + np.mean(FAKE**2)) / 2,
    ),
    "log": (
        -np.mean(np.log(_sigmoid(FAKE))),
        -np.mean(np.log(_sigmoid(REAL))) - np.mean(np.log(1.0 - _sigmoid(FAKE))),
    ),
}


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
@pytest.mark.parametrize("kind", ADVERSARIAL_LOSSES)
def test_agrees_with_the_definition(kind, wrap):
    generator, discriminator = EXPECTED[kind]
    loss = ADVERSARIAL_LOSSES[kind]
    np.testing.assert_allclose(wrap(loss.generator)(tf.constant(FAKE)), generator, rtol=1e-5)
    ours = wrap(loss.discriminator)(tf.constant(REAL), tf.constant(FAKE))
    np.testing.assert_allclose(ours, discriminator, rtol=1e-5)


@pytest.mark.parametrize("kind", ADVERSARIAL_LOSSES)
def test_players_pull_the_outputs_score_apart(kind):
    loss = ADVERSARIAL_LOSSES[kind]
    real, fake = tf.constant(REAL), tf.constant(0.5 + 0.01 * FAKE)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(fake)
        generator, discriminator = loss.generator(fake), loss.discriminator(real, fake)
    assert np.all(tape.gradient(generator, fake) < 0)
    assert np.all(tape.gradient(discriminator, fake) > 0)


def test_log_loss_stays_finite_where_a_sigmoid_rounds_to_zero():
    loss = ADVERSARIAL_LOSSES["log"]
    np.testing.assert_allclose(loss.generator(tf.constant([-500.0])), 500.0)
    np.testing.assert_allclose(loss.discriminator(tf.constant([-500.0]), tf.constant([300.0])), 800)


@pytest.mark.parametrize("kind", ADVERSARIAL_LOSSES)
def test_half_precision_logits_are_summed_in_float32(kind):
    logits = tf.cast(tf.fill([1, 300, 300, 1], 3.0), tf.float16)  # 9e4 squares of 4: above 65504
    loss = ADVERSARIAL_LOSSES[kind]
    for value in (loss.generator(logits), loss.discriminator(logits, logits)):
        assert value.dtype == tf.float32
        assert np.isfinite(value)
