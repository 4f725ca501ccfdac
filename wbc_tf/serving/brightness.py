"""The photo's brightness for the cartoon, in the graph: as `wbc_tf.inference.brightness`."""

from __future__ import annotations

import tensorflow as tf


def match_brightness(cartoon: tf.Tensor, photo: tf.Tensor) -> tf.Tensor:
    """Multiplies a cartoon by one number, so that it is as bright as the photo.

    Args:
      cartoon: uint8 [H, W, 3] RGB. A black one stays black.
      photo: uint8 [h, w, 3] RGB.

    Returns:
      uint8 [H, W, 3].
    """
    ratio = tf.math.divide_no_nan(_brightness(photo), _brightness(cartoon))
    levels = tf.round(tf.range(256, dtype=tf.float64) * ratio)
    table = tf.cast(tf.clip_by_value(levels, 0.0, 255.0), tf.uint8)
    return tf.gather(table, tf.cast(cartoon, tf.int32))


def _brightness(picture: tf.Tensor) -> tf.Tensor:
    # Row by row in whole numbers, so that the sum is exact at any size.
    rows = tf.reduce_sum(tf.cast(picture, tf.int32), axis=1) / tf.shape(picture)[1]
    return tf.linalg.tensordot(
        tf.reduce_mean(rows, axis=0), tf.constant([0.299, 0.587, 0.114], tf.float64), axes=1
    )
