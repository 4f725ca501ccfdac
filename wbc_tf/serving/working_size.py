"""Reducing a picture to the working resolution, and enlarging the result again, in the graph.

The functions compute what `wbc_tf.images.reduce_to_short_side` and
`wbc_tf.inference.full_size.apply_coefficients` compute in NumPy.
"""

from __future__ import annotations

import tensorflow as tf

from wbc_tf.images import tensor_to_float, tensor_to_uint8

# Rows computed at a time, as on the command line; a large photo at once would take gigabytes.
_STRIP_ROWS = 256
# OpenCV leaves out a source pixel that a cell covers by less than this.
_NEGLIGIBLE = 1e-3


def reduce_to_short_side(picture: tf.Tensor, short_side: int) -> tf.Tensor:
    """Shrinks by area averaging until the short side is `short_side`, never enlarges.

    Args:
      picture: uint8 [H, W, C].
      short_side: in pixels; 0 keeps the size.
    """
    if short_side == 0:
        return picture
    height, width = _sides(picture)
    shortest = tf.minimum(height, width)
    # In whole numbers: rounding could make the picture a pixel longer or shorter.
    longest = tf.maximum(height, width) * short_side // tf.maximum(shortest, 1)
    size = tf.where(height > width, [longest, short_side], [short_side, longest])
    reduced = tf.cond(
        shortest > short_side, lambda: area_resize(picture, size), lambda: tf.identity(picture)
    )
    return tf.ensure_shape(reduced, [None, None, picture.shape[-1]])


def _sides(picture: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    shape = tf.shape(picture, out_type=tf.int64)
    return shape[0], shape[1]


def area_resize(picture: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """OpenCV's ``INTER_AREA`` to the bit, down to the order in which it adds.

    ``tf.image.resize`` averages over the same areas, but rounds ties (one pixel in seventy at
    800 -> 720) to the other side now and then; the network turns that one grey level into up to
    seven.

    Args:
      picture: uint8 [H, W, C].
      size: int64 [2], height and width, neither larger than the picture's.
    """
    source = tf.shape(picture, out_type=tf.int64)[:2]
    reduced = tf.cond(
        tf.reduce_all(source % size == 0),
        lambda: _mean_of_blocks(picture, size, source // size),
        lambda: _mean_of_cells(picture, source, size),
    )
    return tf.cast(reduced, tf.uint8)


def _mean_of_blocks(picture: tf.Tensor, size: tf.Tensor, ratio: tf.Tensor) -> tf.Tensor:
    """Whole ratios: the sums are whole numbers, and OpenCV rounds halves of 2x2 blocks up."""
    mean = tf.image.resize(picture, tf.cast(size, tf.int32), method="area")
    return tf.where(tf.reduce_all(ratio == 2), tf.floor(mean + 0.5), tf.round(mean))


def _mean_of_cells(picture: tf.Tensor, source: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Any ratio: along the rows first, then down, each from first to last source pixel."""
    columns, column_weights = _cells(source[1], size[1])
    rows, row_weights = _cells(source[0], size[0])
    channels = picture.shape[-1]
    along = tf.zeros([source[0], size[1], channels])
    for k in tf.range(tf.shape(columns)[0]):
        tf.autograph.experimental.set_loop_options(
            shape_invariants=[(along, tf.TensorShape([None, None, channels]))]
        )
        pixels = tf.cast(tf.gather(picture, columns[k], axis=1), tf.float32)
        along += pixels * column_weights[k][None, :, None]
    down = tf.zeros([size[0], size[1], channels])
    for k in tf.range(tf.shape(rows)[0]):
        tf.autograph.experimental.set_loop_options(
            shape_invariants=[(down, tf.TensorShape([None, None, channels]))]
        )
        down += tf.gather(along, rows[k], axis=0) * row_weights[k][:, None, None]
    return tf.round(down)


def _cells(source: tf.Tensor, size: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """For each target pixel the source pixels that it covers, and how much of it each one fills.

    Args:
      source: number of source pixels.
      size: number of target pixels.

    Returns:
      int64 [K, size] positions, ascending along K, and their float32 weights; those of positions
      that are not covered are zero.
    """
    length = tf.cast(source, tf.float64)
    # Written as OpenCV has it: source / size would be another double now and then.
    scale = 1.0 / (tf.cast(size, tf.float64) / length)
    begin = tf.cast(tf.range(size), tf.float64) * scale
    end = begin + scale
    cell = tf.minimum(scale, length - begin)
    last = tf.minimum(tf.floor(end), length - 1)
    first = tf.minimum(tf.math.ceil(begin), last)
    left = tf.where(first - begin > _NEGLIGIBLE, (first - begin) / cell, 0)
    right_part = tf.minimum(tf.minimum(end - last, 1), cell)
    right = tf.where(end - last > _NEGLIGIBLE, right_part / cell, 0)
    # One column before `first`, then whole pixels, up to the one at `last`.
    steps = tf.range(-1.0, tf.reduce_max(last - first) + 1.0, dtype=tf.float64)[:, None]
    position = first + steps
    weight = tf.where(steps < 0, left, tf.where(position < last, 1.0 / cell, right))
    weight = tf.where(position > last, tf.zeros_like(weight), weight)
    position = tf.clip_by_value(position, 0, length - 1)
    return tf.cast(position, tf.int64), tf.cast(weight, tf.float32)


def apply_coefficients(photo: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """``scale * photo + offset``, the coefficients enlarged bilinearly to the photo's size.

    Args:
      photo: uint8 [H, W, 3].
      scale: float32 [h, w, 3].
      offset: the same.

    Returns:
      uint8 [H, W, 3].
    """
    height, width = _sides(photo)
    strips = tf.TensorArray(
        tf.uint8, size=0, dynamic_size=True, infer_shape=False, element_shape=[None, None, 3]
    )
    count = -(-height // _STRIP_ROWS)
    for index in tf.range(count):
        # Strips in flight at once would bring back the memory that they save.
        tf.autograph.experimental.set_loop_options(parallel_iterations=1)
        rows = tf.range(index * _STRIP_ROWS, tf.minimum((index + 1) * _STRIP_ROWS, height))
        guide = tensor_to_float(tf.gather(photo, rows))
        a, b = (_enlarged_rows(c, rows, height, width) for c in (scale, offset))
        strips = strips.write(tf.cast(index, tf.int32), tensor_to_uint8(a * guide + b))
    return tf.ensure_shape(strips.concat(), [None, None, 3])


def _enlarged_rows(
    small: tf.Tensor, rows: tf.Tensor, height: tf.Tensor, width: tf.Tensor
) -> tf.Tensor:
    """Some rows of `small` enlarged to [height, width, 3]: half-pixel centres, borders repeated."""
    short = tf.shape(small, out_type=tf.int64)[0]
    ratio = tf.cast(short, tf.float64) / tf.cast(height, tf.float64)
    centres = (tf.cast(rows, tf.float64) + 0.5) * ratio - 0.5
    centres = tf.clip_by_value(centres, 0, tf.cast(short - 1, tf.float64))
    above = tf.cast(tf.floor(centres), tf.int64)
    below = tf.minimum(above + 1, short - 1)
    weight = tf.cast(centres - tf.floor(centres), tf.float32)[:, None, None]
    mixed = tf.gather(small, above) * (1 - weight) + tf.gather(small, below) * weight
    size = tf.stack([tf.shape(rows)[0], tf.cast(width, tf.int32)])
    return tf.raw_ops.ResizeBilinear(
        images=mixed[None], size=size, align_corners=False, half_pixel_centers=True
    )[0]
