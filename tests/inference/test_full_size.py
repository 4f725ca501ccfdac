from __future__ import annotations

import cv2
import numpy as np
import pytest

from wbc_tf.images import to_float
from wbc_tf.inference import full_size
from wbc_tf.inference.full_size import apply_coefficients

RNG = np.random.default_rng(0)


def _enlarge(small: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Bilinear with half-pixel centres, borders repeated, in float64."""
    centre = np.clip((np.arange(size) + 0.5) * small.shape[axis] / size - 0.5, 0, None)
    low = np.minimum(np.floor(centre).astype(int), small.shape[axis] - 1)
    high = np.minimum(low + 1, small.shape[axis] - 1)
    weight = (centre - low).reshape([-1 if a == axis else 1 for a in range(3)])
    return small.take(low, axis) * (1 - weight) + small.take(high, axis) * weight


def _levels(photo: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """The cartoon in grey levels, before rounding."""
    scale, offset = (
        _enlarge(_enlarge(c.astype(np.float64), photo.shape[0], 0), photo.shape[1], 1)
        for c in (scale, offset)
    )
    return np.clip((scale * to_float(photo) + offset + 1) * 127.5, 0, 255)


def _case(photo_size: tuple[int, int], size: tuple[int, int]) -> tuple[np.ndarray, ...]:
    photo = RNG.integers(0, 256, (*photo_size, 3), dtype=np.uint8)
    scale = RNG.uniform(0.2, 1.2, (*size, 3)).astype(np.float32)
    offset = RNG.uniform(-0.5, 0.5, (*size, 3)).astype(np.float32)
    return photo, scale, offset


@pytest.mark.parametrize(
    ("photo_size", "size"),
    [((600, 37), (113, 9)), ((257, 40), (100, 40)), ((30, 50), (30, 20)), ((5, 7), (1, 1))],
)
def test_equals_the_definition_across_strips(
    monkeypatch: pytest.MonkeyPatch, photo_size: tuple[int, int], size: tuple[int, int]
) -> None:
    monkeypatch.setattr(full_size, "_STRIP_PIXELS", 256 * photo_size[1])  # 600 rows: 256, 256, 88
    case = _case(photo_size, size)
    # Half a level is rounding to nearest; the rest is float32 in the enlargement.
    difference = np.abs(apply_coefficients(*case) - _levels(*case))
    assert difference.max() < 0.5 + 0.01


def test_equals_opencvs_enlargement() -> None:
    photo, scale, offset = _case((300, 64), (90, 20))
    a, b = (cv2.resize(c, (64, 300), interpolation=cv2.INTER_LINEAR) for c in (scale, offset))
    levels = np.clip((a * to_float(photo) + b + 1) * 127.5, 0, 255)
    assert np.abs(apply_coefficients(photo, scale, offset) - levels).max() < 0.5 + 0.01


def test_the_strips_height_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    case = _case((100, 20), (33, 7))
    whole = apply_coefficients(*case)
    monkeypatch.setattr(full_size, "_STRIP_PIXELS", 7 * 20)
    np.testing.assert_array_equal(apply_coefficients(*case), whole)


def test_identity_coefficients_give_the_photo_back() -> None:
    photo, scale, offset = _case((300, 45), (50, 9))
    identity = apply_coefficients(photo, np.ones_like(scale), np.zeros_like(offset))
    np.testing.assert_array_equal(identity, photo)


def test_at_equal_size_the_coefficients_are_used_as_they_are() -> None:
    photo, scale, offset = _case((270, 31), (270, 31))
    levels = (scale * to_float(photo) + offset + np.float32(1)) * np.float32(127.5)
    expected = np.clip(np.rint(levels), 0, 255)
    np.testing.assert_array_equal(apply_coefficients(photo, scale, offset), expected)


def test_what_lies_outside_the_range_is_clipped() -> None:
    photo = np.full((4, 6, 3), 128, np.uint8)
    coefficient = np.ones((2, 3, 3), np.float32)
    assert (apply_coefficients(photo, coefficient, 5 * coefficient) == 255).all()
    assert (apply_coefficients(photo, coefficient, -5 * coefficient) == 0).all()
