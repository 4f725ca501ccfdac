from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.images import (
    crop_to,
    pad_to_multiple,
    reduce_to_short_side,
    reduced_size,
    tensor_to_float,
    tensor_to_uint8,
    to_float,
    to_uint8,
)


@pytest.fixture
def picture() -> np.ndarray:
    """A non-square picture of which no flip or rotation equals another."""
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def test_the_range_has_its_ends_and_middle_where_they_belong() -> None:
    floats = to_float(np.array([0, 51, 255], np.uint8))
    assert floats.dtype == np.float32
    np.testing.assert_allclose(floats, [-1, -0.6, 1], atol=1e-7)


def test_every_grey_level_survives_the_round_trip() -> None:
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(to_float(levels)), levels)


def test_to_uint8_rounds_to_nearest_and_clips() -> None:
    levels = np.array([-40, 0.4, 0.6, 99.4, 99.6, 300])
    np.testing.assert_array_equal(to_uint8(levels / 127.5 - 1), [0, 0, 1, 99, 100, 255])


def test_half_precision_is_read_without_losing_a_level() -> None:
    # float16 has 11 bits: all 256 levels are told apart, if the arithmetic is not done in it.
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(to_float(levels).astype(np.float16)), levels)


def test_the_tensor_twins_answer_the_same_eagerly_and_in_a_graph() -> None:
    levels = np.arange(256, dtype=np.uint8)
    floats = np.linspace(-1.2, 1.2, 1001).astype(np.float32)
    for wrap in (lambda function: function, tf.function):
        ours = wrap(tensor_to_float)(tf.constant(levels))
        # One float32 step: a graph multiplies by 1 / 127.5 instead of dividing.
        np.testing.assert_allclose(ours, to_float(levels), rtol=0, atol=1.2e-7)
        np.testing.assert_array_equal(wrap(tensor_to_uint8)(ours), levels)
        np.testing.assert_array_equal(wrap(tensor_to_uint8)(tf.constant(floats)), to_uint8(floats))


def test_reduction_averages_areas() -> None:
    # To a third, where bilinear sampling would read the middle of each 3x3 block and nothing else.
    small = np.random.default_rng(2).integers(8, 248, (4, 6, 3), dtype=np.uint8)
    noise = np.array([[-2, 3, -4], [1, 8, -5], [2, -6, 3]])
    assert noise.sum() == 0
    large = np.kron(small, np.ones((3, 3, 1), int)) + np.tile(noise, (4, 6))[..., None]
    np.testing.assert_array_equal(reduce_to_short_side(large.astype(np.uint8), 4), small)


@pytest.mark.parametrize(
    ("size", "short_side", "expected"),
    [
        ((800, 1280), 720, (720, 1152)),
        ((1280, 800), 720, (1152, 720)),
        ((301, 200), 100, (150, 100)),  # 150.5: cut, not rounded
        ((200, 301), 100, (100, 150)),
        ((100, 300), 100, (100, 300)),
        ((99, 300), 100, (99, 300)),  # never enlarged
        ((300, 200), 0, (300, 200)),
    ],
)
def test_the_short_side_is_met(
    size: tuple[int, int], short_side: int, expected: tuple[int, int]
) -> None:
    assert reduce_to_short_side(np.zeros((*size, 3), np.uint8), short_side).shape[:2] == expected


def test_padding_reflects_like_numpy_and_cropping_undoes_it() -> None:
    images = np.random.default_rng(3).normal(size=(2, 5, 7, 3)).astype(np.float32)
    padded = pad_to_multiple(tf.constant(images), 4)
    np.testing.assert_array_equal(
        padded, np.pad(images, [(0, 0), (0, 3), (0, 1), (0, 0)], mode="reflect")
    )
    np.testing.assert_array_equal(crop_to(padded, images), images)


def test_padding_and_cropping_are_inverse_at_every_small_size_in_a_graph() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])])
    def pad(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        padded = pad_to_multiple(images, 4)
        return padded, crop_to(padded, images)

    rng = np.random.default_rng(4)
    for height in range(1, 10):
        for width in range(1, 10):
            images = rng.normal(size=(1, height, width, 3)).astype(np.float32)
            padded, cropped = pad(images)
            assert padded.shape == (1, -(-height // 4) * 4, -(-width // 4) * 4, 3)
            assert np.isin(padded, images).all()
            np.testing.assert_array_equal(cropped, images)


def test_sizes_that_fit_are_not_padded() -> None:
    images = np.random.default_rng(5).normal(size=(1, 4, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(pad_to_multiple(tf.constant(images), 4), images)


@pytest.mark.parametrize(
    ("size", "short_side", "expected"),
    [
        ((1080, 1920), 720, (720, 1280)),
        ((1920, 1080), 720, (1280, 720)),
        ((804, 1920), 720, (720, 1719)),  # cut, not rounded
        ((720, 1280), 720, (720, 1280)),
        ((1080, 1920), 0, (1080, 1920)),
    ],
)
def test_the_reduced_size_is_known_beforehand(
    size: tuple[int, int], short_side: int, expected: tuple[int, int]
) -> None:
    assert reduced_size(*size, short_side) == expected
    picture = np.zeros((*size, 3), np.uint8)
    assert reduce_to_short_side(picture, short_side).shape == (*expected, 3)
