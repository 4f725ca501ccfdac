from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.orientations import UPRIGHT
from wbc_tf.files.pictures import read_rgb
from wbc_tf.serving.exif import orientation, turn_upright

PICTURE = np.random.default_rng(0).integers(0, 256, (5, 8, 3), dtype=np.uint8)

read = tf.function(orientation, input_signature=[tf.TensorSpec([], tf.string)])


def jpeg(tag: int | None = None, *, big_endian: bool = False, before: int = 0) -> bytes:
    """A JPEG with an orientation tag, after `before` other entries."""
    exif = Image.Exif()
    exif.endian = ">" if big_endian else "<"
    for number in range(before):
        exif[0x010D + number] = "text that is longer than an entry"
    if tag is not None:
        exif[0x0112] = tag
    content = io.BytesIO()
    Image.fromarray(PICTURE).save(content, "JPEG", exif=exif)
    return content.getvalue()


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("tag", range(1, 9))
def test_the_tag_is_read_in_both_byte_orders(tag: int, big_endian: bool) -> None:
    assert int(read(jpeg(tag, big_endian=big_endian, before=3))) == tag


def test_eager_reads_the_same() -> None:
    assert int(orientation(tf.constant(jpeg(6)))) == 6


@pytest.mark.parametrize("tag", [None, 0, 9, 65535])
def test_no_tag_or_one_without_meaning_is_upright(tag: int | None) -> None:
    assert int(read(jpeg(tag))) == 1


def test_a_jpeg_without_exif_is_upright() -> None:
    content = io.BytesIO()
    Image.fromarray(PICTURE).save(content, "JPEG")
    assert b"Exif" not in content.getvalue()
    assert int(read(content.getvalue())) == 1


def test_damaged_exif_never_fails() -> None:
    whole = jpeg(6, before=2)
    start = whole.index(b"Exif")
    answers = {int(read(whole[:end])) for end in range(start, start + 60)}
    assert answers == {1, 6}, "cut off before the tag it is upright, after it the tag counts"
    rng = np.random.default_rng(0)
    for _ in range(100):
        damaged = bytearray(whole)
        for position in rng.integers(start + 6, start + 50, 6):
            damaged[position] = rng.integers(256)
        assert 1 <= int(read(bytes(damaged))) <= 8


@pytest.mark.parametrize("tag", UPRIGHT)
def test_turning_upright(tag: int) -> None:
    expected = UPRIGHT[tag](PICTURE)
    eager = turn_upright(tf.constant(PICTURE), tf.constant(tag, tf.int64))
    graph = tf.function(turn_upright)(tf.constant(PICTURE), tf.constant(tag, tf.int64))
    np.testing.assert_array_equal(eager, expected)
    np.testing.assert_array_equal(graph, expected)


@pytest.mark.parametrize("tag", UPRIGHT)
def test_the_command_line_turns_the_same_way(tag: int, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(tag))
    stored = tf.io.decode_jpeg(jpeg(), channels=3, dct_method="INTEGER_ACCURATE")
    upright = turn_upright(stored, tf.constant(tag, tf.int64))
    np.testing.assert_array_equal(upright, read_rgb(path))
