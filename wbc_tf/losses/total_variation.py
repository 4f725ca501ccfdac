"""Total variation: what noise and fine texture cost."""

from __future__ import annotations

import tensorflow as tf


def total_variation(images: tf.Tensor) -> tf.Tensor:
    """Mean squared step between neighbours, down plus across, divided once more by H * W * 3.

    The released formula. The white-box paper (equation 7) has the unsquared sum of both steps over
    H * W * C; the second division by the number of values is the code's own, and is why its weight
    is 1e4. A picture of twice the side therefore weighs a quarter.

    Args:
      images: [N, H, W, 3] in [-1, 1]; H and W at least 2.

    Returns:
      float32 scalar.
    """
    images = tf.cast(images, tf.float32)
    down = tf.reduce_mean(tf.square(images[:, 1:] - images[:, :-1]))
    across = tf.reduce_mean(tf.square(images[:, :, 1:] - images[:, :, :-1]))
    values = tf.reduce_prod(tf.shape(images)[1:])
    return (down + across) / tf.cast(values, tf.float32)
