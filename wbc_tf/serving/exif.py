"""Which way up a JPEG is, in the graph: cameras turn the tag, not the pixels.

TensorFlow's decoder ignores the tag, and a phone's portrait photos would come back lying down.
Exif 2.32, section 4.6.2 (the file's structure is TIFF's) and 4.6.4 (tag 0x0112).
"""

from __future__ import annotations

import tensorflow as tf

_MARK = b"Exif\0\0"
# A segment's length has 16 bits, and Exif stands in the first segment or just after JFIF's.
_SEARCHED = 1 << 17
_ORIENTATION, _UPRIGHT = 0x0112, 1
_ENTRY_BYTES = 12


def orientation(jpeg: tf.Tensor) -> tf.Tensor:
    """The orientation tag, int64 from 1 to 8; 1 (upright) where there is none that can be read.

    Args:
      jpeg: a scalar string.
    """
    # Without the mark the last part is the file itself, which is no TIFF header.
    tiff = tf.strings.split(tf.strings.substr(jpeg, 0, _SEARCHED), _MARK, maxsplit=1)[-1]
    # The zeros behind let every fixed offset be read; what was cut off reads as no entry.
    zeros = tf.zeros([2 * _ENTRY_BYTES], tf.int64)
    data = tf.concat([tf.cast(tf.io.decode_raw(tiff, tf.uint8), tf.int64), zeros], axis=0)
    little = tf.reduce_all(data[:4] == [0x49, 0x49, 42, 0])
    big = tf.reduce_all(data[:4] == [0x4D, 0x4D, 0, 42])

    def number_at(positions: tf.Tensor, count: int) -> tf.Tensor:
        inside = positions[..., None] + tf.range(count, dtype=tf.int64)
        digits = tf.gather(data, tf.minimum(inside, tf.size(data, tf.int64) - 1))
        weights = tf.constant([256**power for power in range(count)], tf.int64)
        return tf.reduce_sum(digits * tf.where(little, weights, weights[::-1]), axis=-1)

    directory = number_at(tf.constant(4, tf.int64), 4)
    entries = directory + 2 + _ENTRY_BYTES * tf.range(number_at(directory, 2))
    entries = tf.boolean_mask(entries, entries + _ENTRY_BYTES <= tf.size(data, tf.int64))
    values = tf.boolean_mask(number_at(entries + 8, 2), number_at(entries, 2) == _ORIENTATION)
    found = tf.concat([values, [_UPRIGHT]], axis=0)[0]
    usable = (little | big) & (found >= 1) & (found <= 8)
    return tf.where(usable, found, _UPRIGHT)


def turn_upright(picture: tf.Tensor, tag: tf.Tensor) -> tf.Tensor:
    """Undoes an orientation tag.

    Args:
      picture: [H, W, C] as stored.
      tag: int64 scalar, 1 to 8.
    """
    # Tags 5 to 8 have rows and columns exchanged; the rest is mirroring.
    picture = tf.cond(tag >= 5, lambda: tf.transpose(picture, [1, 0, 2]), lambda: picture)
    mirrored_across = tf.reduce_any(tag == [2, 3, 6, 7])
    mirrored_down = tf.reduce_any(tag == [3, 4, 7, 8])
    picture = tf.cond(mirrored_across, lambda: picture[:, ::-1], lambda: picture)
    return tf.cond(mirrored_down, lambda: picture[::-1], lambda: picture)
