"""How far a cartoon differs from its photo in content: the angle between their VGG features."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from wbc_tf.images import to_float
from wbc_tf.losses.perceptual import VggFeatures


def content_distance(photo: np.ndarray, cartoon: np.ndarray, features: VggFeatures) -> float:
    """Mean cosine distance of two pictures' features over all positions: 0 the same, 1 unrelated.

    Args:
      photo: uint8 [H, W, 3] RGB.
      cartoon: uint8 of the same shape.
      features: one layer's, before its ReLU; figures of different layers do not compare.

    Raises:
      ValueError: pictures of different sizes.
    """
    if photo.shape != cartoon.shape:
        raise ValueError(
            f"photo and cartoon must be of one size, not {photo.shape[:2]} and {cartoon.shape[:2]}"
        )
    maps = features(tf.constant(np.stack([to_float(photo), to_float(cartoon)])))
    one, other = tf.nn.l2_normalize(tf.cast(maps, tf.float32), axis=-1)
    return float(1 - tf.reduce_mean(tf.reduce_sum(one * other, axis=-1)))
