from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.losses.total_variation import total_variation


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_of_a_ramp_is_its_slopes(wrap):
    """Steps of 0.1 down and 0.2 across: (0.01 + 0.04) / (3 * 5 * 4)."""
    rows, columns = np.mgrid[:5, :4]
    image = (0.1 * rows + 0.2 * columns)[None, :, :, None].repeat(3, axis=3)
    value = wrap(total_variation)(tf.constant(image, tf.float32))
    np.testing.assert_allclose(value, 0.05 / (3 * 5 * 4), rtol=1e-5)


def test_of_a_flat_picture_is_zero():
    assert total_variation(tf.fill([2, 4, 6, 3], 0.7)) == 0.0


def test_of_noise_agrees_with_numpy():
    images = np.random.default_rng(0).uniform(-1, 1, [3, 7, 9, 3])
    down, across = np.diff(images, axis=1), np.diff(images, axis=2)
    expected = (np.mean(down**2) + np.mean(across**2)) / (3 * 7 * 9)
    np.testing.assert_allclose(total_variation(tf.constant(images)), expected, rtol=1e-5)
