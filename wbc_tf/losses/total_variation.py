"""Squared differences between neighbours: what noise and fine texture cost.

Each program weighs and normalises the two means in its own way; that stays with its method.
"""

from __future__ import annotations

import tensorflow as tf


def squared_steps(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean squared difference to the pixel below, and to the pixel on the right.

    Args:
      images: [N, H, W, C]; H and W at least 2.

    Returns:
      Two float32 scalars, each a mean over its own differences.
    """
    images = tf.cast(images, tf.float32)
    down = tf.reduce_mean(tf.square(images[:, 1:] - images[:, :-1]))
    across = tf.reduce_mean(tf.square(images[:, :, 1:] - images[:, :, :-1]))
    return down, across
