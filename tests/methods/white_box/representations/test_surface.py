from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.methods.white_box.representations.surface import surface


def _naive_surface(image, *, radius, eps):
    """He et al.'s equations pixel by pixel, in float64, for a picture filtered by itself."""

    def mean(values):
        result = np.empty_like(values)
        for y, x in np.ndindex(values.shape[:2]):
            window = values[
                max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1
            ]
            result[y, x] = window.mean(axis=(0, 1))
        return result

    image = image.astype(np.float64)
    average = mean(image)
    variance = mean(image**2) - average**2
    scale = variance / (variance + eps)
    return mean(scale) * image + mean(average - scale * average)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_is_the_guided_filter_of_the_picture_by_itself(wrap):
    images = np.random.default_rng(0).uniform(-1, 1, [1, 14, 19, 3]).astype(np.float32)
    expected = _naive_surface(images[0], radius=5, eps=0.2)
    np.testing.assert_allclose(wrap(surface)(tf.constant(images))[0], expected, atol=1e-5)


def test_flattens_texture_and_keeps_edges():
    texture = 0.05 * np.random.default_rng(0).standard_normal([1, 32, 32, 3])
    sides = np.where(np.arange(32) < 16, -0.8, 0.8)[None, None, :, None]
    smooth = surface(tf.constant(sides + texture, tf.float32)).numpy()
    assert smooth[:, :, 4:8].std() < 0.2 * texture.std()
    assert (smooth[:, :, 17] - smooth[:, :, 14]).mean() > 1.2


def test_stays_float32_under_half_precision():
    images = tf.fill([1, 12, 12, 3], 0.9)
    result = surface(tf.cast(images, tf.bfloat16))
    assert result.dtype == tf.float32
    np.testing.assert_allclose(result, 0.9, atol=4e-3)  # half a step of bfloat16 on the way in
