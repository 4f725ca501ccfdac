"""Pictures as bytes, in the graph: as `wbc_tf.files.pictures` does on the command line."""

from __future__ import annotations

import tensorflow as tf

from wbc_tf.serving.exif import orientation, turn_upright
from wbc_tf.serving.settings import ServingSettings

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_GIF = (b"GIF87a", b"GIF89a")
_PNG_DEPTH_AT = 24
_OPAQUE = 255


def decode_picture(data: tf.Tensor, *, name: tf.Tensor) -> tf.Tensor:
    """Decodes JPEG, PNG, or a GIF's first frame; the error for anything else gives its name.

    Args:
      data: a scalar string.
      name: what to call it in an error, a scalar string.

    Returns:
      uint8 [H, W, 4] RGBA, upright.
    """
    is_jpeg, is_png = _begins_with(data, _JPEG), _begins_with(data, _PNG)
    is_gif = _begins_with(data, _GIF[0]) | _begins_with(data, _GIF[1])
    is_webp = _begins_with(data, b"RIFF") & _begins_with(data, b"WEBP", at=8)
    problem = tf.where(
        tf.strings.length(data) == 0,
        "empty",
        tf.where(
            is_webp,
            "WebP, which TensorFlow cannot read; send JPEG, PNG or GIF",
            "not a JPEG, PNG or GIF picture",
        ),
    )
    known = tf.Assert(is_jpeg | is_png | is_gif, [tf.strings.join([name, ": ", problem])])
    with tf.control_dependencies([known]):
        data = tf.identity(data)

    def decode(data: tf.Tensor) -> tf.Tensor:
        return tf.cond(
            is_jpeg,
            lambda: _decode_jpeg(data),
            lambda: tf.cond(is_png, lambda: _decode_png(data), lambda: _decode_gif(data)),
        )

    # A graph cannot catch a decoder's error, but a dataset can leave out the element that has one:
    # it is the only way to name the picture that is broken.
    pictures = tf.data.Dataset.from_tensors(data).map(decode).ignore_errors(log_warning=True)
    none = tf.data.Dataset.from_tensors(tf.zeros([0, 0, 4], tf.uint8))
    picture = pictures.concatenate(none).take(1).get_single_element()
    whole = tf.Assert(
        tf.size(picture) > 0, [tf.strings.join([name, ": the picture is broken or cut off"])]
    )
    with tf.control_dependencies([whole]):
        return tf.identity(picture)


def _begins_with(data: tf.Tensor, magic: bytes, *, at: int = 0) -> tf.Tensor:
    head = tf.strings.substr(data, 0, at + len(magic))
    padded = tf.strings.join([head, " " * (at + len(magic))])
    return tf.strings.substr(padded, at, len(magic)) == magic


def _decode_jpeg(data: tf.Tensor) -> tf.Tensor:
    # The accurate transform is Pillow's default; TensorFlow's own is faster and up to 7 levels off.
    rgb = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")
    return opaque(turn_upright(rgb, orientation(data)))


def _decode_png(data: tf.Tensor) -> tf.Tensor:
    rgba = tf.io.decode_png(data, channels=4)
    # Where pixels of 1, 2 or 4 bits have no transparency, TensorFlow makes up an alpha of 1, 3 or
    # 15, which it means to be all of it.
    depth = tf.io.decode_raw(tf.strings.substr(data, _PNG_DEPTH_AT, 1), tf.uint8)[0]
    all_of_it = tf.bitwise.left_shift(tf.constant(1, tf.uint8), tf.minimum(depth, 7)) - 1
    made_up = (depth < 8) & tf.reduce_all(rgba[..., 3] == all_of_it)
    return tf.cond(made_up, lambda: opaque(rgba[..., :3]), lambda: rgba)


def _decode_gif(data: tf.Tensor) -> tf.Tensor:
    rgb = tf.io.decode_image(data, channels=3, expand_animations=False)
    return opaque(tf.ensure_shape(rgb, [None, None, 3]))


def opaque(rgb: tf.Tensor) -> tf.Tensor:
    """Uint8 [..., 3] RGB -> [..., 4] RGBA."""
    return tf.concat([rgb, tf.fill(tf.shape(rgb[..., :1]), tf.constant(_OPAQUE, tf.uint8))], -1)


def encode_picture(picture: tf.Tensor, settings: ServingSettings) -> tf.Tensor:
    """Encodes uint8 [H, W, 4] RGBA: PNG keeps the transparency, in JPEG it becomes white."""
    rgb, alpha = picture[..., :3], picture[..., 3:]
    if settings.encoding == "png":
        return tf.cond(
            tf.reduce_all(alpha == _OPAQUE),
            lambda: tf.io.encode_png(rgb),
            lambda: tf.io.encode_png(picture),
        )
    return tf.io.encode_jpeg(
        _over_white(rgb, alpha),
        format="rgb",
        quality=settings.quality,
        chroma_downsampling=settings.quality < 90,  # as in wbc_tf.files.pictures
    )


def _over_white(rgb: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    colour, opacity = tf.cast(rgb, tf.int32), tf.cast(alpha, tf.int32)
    mixed = colour * opacity + _OPAQUE * (_OPAQUE - opacity)
    return tf.cast((mixed + _OPAQUE // 2) // _OPAQUE, tf.uint8)
