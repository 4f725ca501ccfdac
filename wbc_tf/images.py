"""THE place for range, channel order and dtype; every other file only cites it.

On disk and at the library's doors pictures are uint8 RGB in [0, 255]. Inside they are float32 RGB
in [-1, 1], height x width x channels, batch first (NHWC). Resampling is OpenCV's.

TensorFlow is imported inside the functions that take tensors: reading a picture must not wait
seconds for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf


def to_float(images: np.ndarray) -> np.ndarray:
    """uint8 [0, 255] -> float32 [-1, 1]."""
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Float [-1, 1] -> uint8 [0, 255], rounded to nearest; what lies outside is clipped.

    The authors truncate instead, which darkens every picture by half a grey level.
    """
    levels = (images.astype(np.float32) + np.float32(1)) * np.float32(127.5)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def tensor_to_float(images: tf.Tensor) -> tf.Tensor:
    """`to_float` on tensors: uint8 [0, 255] -> float32 [-1, 1]."""
    import tensorflow as tf

    return tf.cast(images, tf.float32) / 127.5 - 1.0


def tensor_to_uint8(images: tf.Tensor) -> tf.Tensor:
    """`to_uint8` on tensors: float [-1, 1] -> uint8 [0, 255], rounded to nearest and clipped."""
    import tensorflow as tf

    levels = (tf.cast(images, tf.float32) + 1.0) * 127.5
    return tf.cast(tf.clip_by_value(tf.round(levels), 0.0, 255.0), tf.uint8)


def reduced_size(height: int, width: int, short_side: int) -> tuple[int, int]:
    """(height, width) of what `reduce_to_short_side` makes of a picture."""
    if short_side == 0 or min(height, width) <= short_side:
        return height, width
    if height > width:
        return int(short_side * height / width), short_side
    return short_side, int(short_side * width / height)


def reduce_to_short_side(rgb: np.ndarray, short_side: int) -> np.ndarray:
    """Shrinks a picture by area averaging until its short side is `short_side`, never enlarges.

    The long side is cut to whole pixels as the authors do it (truncated, not rounded).

    Args:
      rgb: uint8 [H, W, 3].
      short_side: in pixels; 0 keeps the size.
    """
    height, width = reduced_size(rgb.shape[0], rgb.shape[1], short_side)
    if (height, width) == rgb.shape[:2]:
        return rgb
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)


def pad_to_multiple(images: tf.Tensor, multiple: int, *, at_least: int = 1) -> tf.Tensor:
    """Reflects the right and bottom border until both sides are multiples of `multiple`.

    The picture stays at the top left, so that `crop_to` with the old size is the inverse, and so
    that the stride-2 convolutions see the very pixels they would see without padding. Works down to
    a single pixel, which ``tf.pad`` does not.

    Args:
      images: [N, H, W, C], H and W at least 1.
      multiple: of the padded sides.
      at_least: length of the padded sides.
    """
    import tensorflow as tf

    for axis in (1, 2):
        size = tf.shape(images)[axis]
        # Not by negative numbers: ONNX divides whole numbers towards zero.
        padded = (tf.maximum(size, at_least) + multiple - 1) // multiple * multiple
        period = tf.maximum(2 * (size - 1), 1)
        position = tf.range(padded) % period
        images = tf.gather(images, tf.minimum(position, period - position), axis=axis)
    return images


def crop_to(images: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Undoes `pad_to_multiple`: the top-left part of `images` that has the size of `like`."""
    import tensorflow as tf

    shape = tf.shape(like)
    return images[:, : shape[1], : shape[2]]
