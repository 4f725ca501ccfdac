from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from wbc_tf.files.pictures import decode_photo, encode_image
from wbc_tf.serving.codec import decode_picture, encode_picture, opaque
from wbc_tf.serving.settings import ServingSettings

rng = np.random.default_rng(0)
RGB = rng.integers(0, 256, (37, 53, 3), dtype=np.uint8)
ALPHA = rng.integers(0, 256, (37, 53), dtype=np.uint8)


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def decode(data: tf.Tensor) -> tf.Tensor:
    return decode_picture(data, name=tf.constant("image_bytes[7]"))


def content(picture: Image.Image, file_format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, file_format, **options)
    return stream.getvalue()


PICTURES = {
    "JPEG": content(Image.fromarray(RGB), "JPEG"),
    "JPEG, colours at half resolution": content(Image.fromarray(RGB), "JPEG", subsampling=2),
    "progressive JPEG": content(Image.fromarray(RGB), "JPEG", progressive=True),
    "grey JPEG": content(Image.fromarray(RGB).convert("L"), "JPEG"),
    "PNG": content(Image.fromarray(RGB), "PNG"),
    "grey PNG": content(Image.fromarray(RGB).convert("L"), "PNG"),
    "palette PNG": content(Image.fromarray(RGB).convert("P"), "PNG"),
    "PNG of one bit": content(Image.fromarray(RGB).convert("1"), "PNG"),
    "PNG of two bits, palette": content(Image.fromarray(RGB).quantize(4), "PNG", bits=2),
    "palette PNG with a transparent colour": content(
        Image.fromarray(RGB).quantize(4), "PNG", transparency=2
    ),
    "PNG with alpha": content(Image.fromarray(np.dstack([RGB, ALPHA])), "PNG"),
    "GIF": content(Image.fromarray(RGB).convert("P"), "GIF"),
    "GIF of two frames": content(
        Image.fromarray(RGB).convert("P"),
        "GIF",
        save_all=True,
        append_images=[Image.fromarray(255 - RGB).convert("P")],
    ),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_decoded_as_the_command_line_reads_it(kind: str) -> None:
    photo = decode_photo(PICTURES[kind], name=kind)
    alpha = np.full(RGB.shape[:2], 255, np.uint8) if photo.alpha is None else photo.alpha
    picture = decode(PICTURES[kind]).numpy()
    np.testing.assert_array_equal(picture[..., :3], photo.rgb)
    np.testing.assert_array_equal(picture[..., 3], alpha)


def test_eager_decodes_the_same() -> None:
    data = PICTURES["JPEG"]
    eager = decode_picture(tf.constant(data), name=tf.constant("x"))
    np.testing.assert_array_equal(eager, decode(data))


def test_sixteen_bits_become_eight() -> None:
    deep = content(Image.fromarray(RGB[..., 0].astype(np.uint16) * 257), "PNG")
    np.testing.assert_array_equal(decode(deep)[..., 0], RGB[..., 0])


def test_a_single_pixel() -> None:
    data = content(Image.fromarray(RGB[:1, :1]), "PNG")
    np.testing.assert_array_equal(decode(data)[..., :3], RGB[:1, :1])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (b"R", "not a JPEG, PNG or GIF"),
        (b"hello, this is text", "not a JPEG, PNG or GIF"),
        (content(Image.fromarray(RGB), "BMP"), "not a JPEG, PNG or GIF"),
        (content(Image.fromarray(RGB), "WEBP"), "WebP, which TensorFlow cannot read"),
        (PICTURES["JPEG"][:-200], "broken or cut off"),
        (PICTURES["PNG"][:-200], "broken or cut off"),
        (PICTURES["GIF"][:400], "broken or cut off"),
        (b"\xff\xd8\xff", "broken or cut off"),
        (b"\x89PNG\r\n\x1a\n", "broken or cut off"),
        (b"GIF89a", "broken or cut off"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, problem: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"image_bytes\[7\]: .*{problem}"):
        decode(data)


def encode(picture: np.ndarray, **settings: Any) -> bytes:
    return encode_picture(tf.constant(picture), ServingSettings(**settings)).numpy()


def test_png_keeps_every_level_and_the_transparency() -> None:
    back = decode_photo(encode(np.dstack([RGB, ALPHA])), name="answer")
    np.testing.assert_array_equal(back.rgb, RGB)
    np.testing.assert_array_equal(back.alpha, ALPHA)


def test_png_of_an_opaque_picture_has_no_alpha() -> None:
    back = decode_photo(encode(opaque(tf.constant(RGB)).numpy()), name="answer")
    assert back.alpha is None
    np.testing.assert_array_equal(back.rgb, RGB)


@pytest.mark.parametrize("quality", [60, 95])
def test_jpeg_is_the_command_lines(quality: int) -> None:
    ours = encode(opaque(tf.constant(RGB)).numpy(), encoding="jpeg", quality=quality)
    theirs = encode_image(RGB, file_format="JPEG", quality=quality)
    # Two builds of one library: the same subsampling and tables, but for a level now and then.
    difference = decode_photo(ours, name="a").rgb.astype(int) - decode_photo(theirs, name="b").rgb
    assert np.abs(difference).mean() < 0.5
    assert decode_photo(ours, name="a").format == "JPEG"


def test_jpeg_lays_transparency_over_white() -> None:
    alpha = np.zeros((16, 16), np.uint8)
    alpha[:8] = 255
    grey = np.full((16, 16, 3), 100, np.uint8)
    data = encode(np.dstack([grey, alpha]), encoding="jpeg", quality=100)
    back = decode_photo(data, name="answer").rgb.astype(int)
    assert np.abs(back[:8] - 100).max() <= 2
    assert np.abs(back[8:] - 255).max() <= 2


def test_opaque_adds_full_alpha() -> None:
    picture = opaque(tf.constant(RGB[None]))
    np.testing.assert_array_equal(picture[..., :3], RGB[None])
    assert np.unique(picture[..., 3]).tolist() == [255]
