"""Bilinear samplings that TensorFlow 2 no longer offers."""

from __future__ import annotations

import tensorflow as tf


def upsample_2x(images: tf.Tensor) -> tf.Tensor:
    """Doubles height and width as TensorFlow 1's ``resize_bilinear`` did.

    Output pixel ``2i`` is input pixel ``i`` and output pixel ``2i + 1`` is the mean of ``i`` and
    ``i + 1`` (the last one repeats): sampling starts at the corner, with no half-pixel centres.
    ``tf.image.resize`` in TensorFlow 2 and Keras' ``UpSampling2D`` are another function, and shift
    the picture by a quarter of an input pixel each time they stand in for this one.

    Args:
      images: [N, H, W, C], any float type.

    Returns:
      [N, 2H, 2W, C] of the same type.
    """
    size = 2 * tf.shape(images)[1:3]
    # The raw operation, because TensorFlow 2's public API no longer offers this sampling. It
    # answers in float32 whatever it is given.
    doubled = tf.raw_ops.ResizeBilinear(
        images=images, size=size, align_corners=False, half_pixel_centers=False
    )
    height, width = (None if side is None else 2 * side for side in images.shape[1:3])
    return tf.cast(tf.ensure_shape(doubled, [None, height, width, None]), images.dtype)


def resize_aligned(images: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Resizes bilinearly so that the corner pixels lie on the corner pixels.

    Output pixel ``i`` of ``m`` is read at ``i * (n - 1) / (m - 1)`` of ``n``, as Torch did it; no
    average is taken where a picture is reduced. ``tf.image.resize`` in TensorFlow 2 has no such
    sampling.

    Args:
      images: [N, H, W, C], any float type.
      height: of the result, in pixels.
      width: the same.

    Returns:
      float32 [N, height, width, C].
    """
    return tf.raw_ops.ResizeBilinear(
        images=images, size=[height, width], align_corners=True, half_pixel_centers=False
    )
