from __future__ import annotations

import numpy as np
import tensorflow as tf

from wbc_tf.losses.total_variation import squared_steps


def test_of_noise_agrees_with_numpy_and_of_a_flat_picture_is_zero() -> None:
    images = np.random.default_rng(0).uniform(-1, 1, [3, 7, 9, 3])
    expected = [np.mean(np.diff(images, axis=axis) ** 2) for axis in (1, 2)]
    for run in (squared_steps, tf.function(squared_steps)):
        np.testing.assert_allclose(run(tf.constant(images)), expected, rtol=1e-5)
    np.testing.assert_array_equal(squared_steps(tf.fill([2, 4, 6, 3], 0.7)), [0.0, 0.0])
