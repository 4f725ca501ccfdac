"""How much of a picture is not flat, as a loss."""

from __future__ import annotations

import tensorflow as tf

#: Of a step between neighbours, over all channels, in [-1, 1]: about 6 grey levels.
STEP = 0.05


def gradient_count(images: tf.Tensor) -> tf.Tensor:
    """Soft share of the pixels that differ from the ones below and to the right.

    L0 gradient minimisation (Xu et al., "Image Smoothing via L0 Gradient Minimization", SIGGRAPH
    Asia 2011) with each pixel's count made smooth: ``1 - exp(-step^2 / (2 STEP^2))``. Total
    variation charges an edge by its height and so pales it; here an edge of three times `STEP` and
    one of thirty cost the same, and only what is small is worth removing.

    Args:
      images: [N, H, W, C] in [-1, 1]; H and W at least 2.

    Returns:
      float32 scalar, 0 (flat) to 1.
    """
    images = tf.cast(images, tf.float32)
    down = images[:, 1:, :-1] - images[:, :-1, :-1]
    across = images[:, :-1, 1:] - images[:, :-1, :-1]
    squared = tf.reduce_sum(tf.square(down) + tf.square(across), axis=-1)
    return tf.reduce_mean(1 - tf.exp(-squared / (2 * STEP**2)))
