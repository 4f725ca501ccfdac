from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from wbc_tf import images
from wbc_tf.files.pictures import read_rgb
from wbc_tf.inference import full_size
from wbc_tf.serving.working_size import apply_coefficients, area_resize, reduce_to_short_side


@tf.function(
    input_signature=[tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([2], tf.int64)]
)
def resize(picture: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    return area_resize(picture, size)


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(height * 10_000 + width)
    return rng.integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize(
    ("source", "size"),
    [
        ((100, 160), (90, 144)),  # ratio 10/9: every tenth level is a tie between two
        ((61, 47), (29, 23)),
        ((50, 300), (7, 299)),
        ((64, 96), (32, 48)),  # whole ratios are another path in OpenCV, 2x2 a third
        ((63, 96), (21, 32)),
        ((64, 96), (16, 24)),
        ((120, 180), (20, 30)),
        ((64, 90), (16, 45)),
        ((40, 40), (40, 30)),
        ((37, 53), (1, 1)),
    ],
)
def test_area_averaging_is_opencvs_to_the_bit(
    source: tuple[int, int], size: tuple[int, int]
) -> None:
    picture = noise(*source)
    expected = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(resize(picture, size), expected)


def test_area_averaging_by_hand() -> None:
    # Three pixels to two: each target holds one and a half of them.
    picture = np.array([[[0], [90], [240]]], np.uint8).repeat(3, axis=-1)
    expected = [round((0 + 45) / 1.5), round((45 + 240) / 1.5)]
    assert resize(picture, (1, 2))[0, :, 0].numpy().tolist() == expected


@pytest.mark.parametrize(
    ("size", "short_side"),
    [((61, 47), 31), ((47, 61), 31), ((47, 61), 47), ((30, 20), 31), ((9, 9), 4), ((1, 1), 720)],
)
def test_reduced_as_on_the_command_line(size: tuple[int, int], short_side: int) -> None:
    picture = noise(*size)
    expected = images.reduce_to_short_side(picture, short_side)
    any_size = tf.TensorSpec([None, None, 3], tf.uint8)
    graph = tf.function(lambda p: reduce_to_short_side(p, short_side), input_signature=[any_size])
    np.testing.assert_array_equal(graph(picture), expected)
    np.testing.assert_array_equal(reduce_to_short_side(tf.constant(picture), short_side), expected)


def test_short_side_0_keeps_the_size() -> None:
    picture = noise(20, 30, 4)
    np.testing.assert_array_equal(reduce_to_short_side(tf.constant(picture), 0), picture)


def test_a_photo_at_the_size_that_cameras_make(shared: Path) -> None:
    photo = read_rgb(shared / "reference" / "whitebox" / "photos" / "liuyifei4.jpg")
    expected = images.reduce_to_short_side(photo, 720)
    assert expected.shape != photo.shape
    np.testing.assert_array_equal(resize(photo, expected.shape[:2]), expected)


@pytest.mark.parametrize(
    ("size", "small"), [((37, 53), (37, 53)), ((600, 45), (200, 15)), ((301, 41), (17, 9))]
)
def test_coefficients_applied_as_on_the_command_line(
    size: tuple[int, int], small: tuple[int, int]
) -> None:
    rng = np.random.default_rng(0)
    photo = noise(*size)
    scale = rng.uniform(-1, 1.2, (*small, 3)).astype(np.float32)
    offset = rng.uniform(-0.3, 0.3, (*small, 3)).astype(np.float32)
    expected = full_size.apply_coefficients(photo, scale, offset).astype(int)
    for apply in (apply_coefficients, tf.function(apply_coefficients)):
        found = apply(tf.constant(photo), tf.constant(scale), tf.constant(offset)).numpy()
        # The two bilinear enlargements differ in the last bit, which may tip a rounding.
        assert np.abs(found - expected).max() <= 1
        assert (found != expected).mean() < 1e-3


def test_the_identity_leaves_a_photo_alone() -> None:
    photo = noise(530, 7)  # more than two strips, the last one short
    one, zero = tf.ones([3, 5, 3]), tf.zeros([3, 5, 3])
    np.testing.assert_array_equal(apply_coefficients(tf.constant(photo), one, zero), photo)
