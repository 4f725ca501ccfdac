from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.losses.gradient_count import STEP, gradient_count


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_edges_are_counted_whatever_their_height(wrap):
    picture = np.zeros([2, 5, 9, 3], np.float32)
    picture[:, :, 4:] = 1.0  # one of eight columns of steps
    count = wrap(gradient_count)
    assert float(count(tf.constant(picture))) == pytest.approx(1 / 8)
    assert float(count(tf.constant(0.5 * picture))) == pytest.approx(1 / 8)
    assert count(tf.zeros([1, 4, 6, 3])) == 0


def test_of_noise_agrees_with_numpy():
    images = np.random.default_rng(0).uniform(-STEP, STEP, [2, 5, 8, 3])
    total = 0.0
    for n in range(2):
        for y in range(4):
            for x in range(7):
                down = images[n, y + 1, x] - images[n, y, x]
                across = images[n, y, x + 1] - images[n, y, x]
                total += 1 - np.exp(-(down @ down + across @ across) / (2 * STEP**2))
    value = float(gradient_count(tf.constant(images)))
    assert value == pytest.approx(total / (2 * 4 * 7), rel=1e-5)


def test_only_small_steps_are_worth_removing():
    def pull(height):
        picture = tf.constant([0.0, 0.0, height, height])[None, None, :, None] * tf.ones(
            [1, 3, 1, 3]
        )
        with tf.GradientTape() as tape:
            tape.watch(picture)
            count = gradient_count(picture)
        return float(tf.reduce_max(tf.abs(tape.gradient(count, picture))))

    assert pull(STEP) > 1e4 * pull(20 * STEP)
