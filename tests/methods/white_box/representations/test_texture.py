from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.methods.white_box.representations.texture import (
    LUMA,
    SPREAD,
    draw_color_weights,
    texture,
)


def test_weights_sum_to_one_and_stay_near_luma():
    drawn = np.stack([draw_color_weights(seed=0, step=step) for step in range(300)])
    np.testing.assert_allclose(drawn.sum(axis=1), 1.0, rtol=1e-6)
    # Before they are normalised each is within the spread, and so their sum within three of it.
    assert np.all(drawn > (np.array(LUMA) - SPREAD) / (1 + 3 * SPREAD))
    assert np.all(drawn < (np.array(LUMA) + SPREAD) / (1 - 3 * SPREAD))
    assert np.all(drawn.std(axis=0) > 0.03)
    np.testing.assert_allclose(drawn.mean(axis=0), LUMA, atol=0.015)


def test_weights_follow_from_seed_and_step():
    draw = tf.function(lambda step: draw_color_weights(seed=3, step=step))
    first = draw_color_weights(seed=3, step=7)
    np.testing.assert_allclose(draw(tf.constant(7, tf.int64)), first, rtol=1e-6)
    assert np.max(np.abs(draw_color_weights(seed=3, step=8) - first)) > 1e-3
    assert np.max(np.abs(draw_color_weights(seed=4, step=7) - first)) > 1e-3


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_mixes_the_channels(wrap):
    images = np.random.default_rng(0).uniform(-1, 1, [2, 5, 7, 3]).astype(np.float32)
    weights = np.float32([0.2, 0.5, 0.3])
    mixed = wrap(texture)(tf.constant(images), tf.constant(weights))
    np.testing.assert_allclose(mixed, (images @ weights)[..., None], atol=1e-6)


def test_grey_stays_as_it_is():
    grey = tf.random.stateless_uniform([1, 4, 6, 1], [0, 0], -1, 1)
    weights = draw_color_weights(seed=0, step=0)
    np.testing.assert_allclose(texture(tf.repeat(grey, 3, axis=-1), weights), grey, atol=1e-6)
