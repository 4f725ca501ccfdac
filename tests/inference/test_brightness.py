from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wbc_tf.files.pictures import read_rgb
from wbc_tf.inference.brightness import brightness, match_brightness


@pytest.mark.parametrize("name", ["piazza", "lake"])
def test_equals_the_authors_program(shared: Path, name: str) -> None:
    folder = shared / "reference" / "animegan_v2" / "inference"
    photo, plain, theirs = (
        read_rgb(folder / f"{name}_{kind}.png") for kind in ("photo", "anime_plain", "anime")
    )
    numbers = np.load(folder / "inference.npz")[f"{name}/brightness_photo_result_ratio"]
    np.testing.assert_allclose([brightness(photo), brightness(plain)], numbers[:2], rtol=1e-6)
    # Theirs are truncated, ours rounded: never below, and by one level at most above.
    difference = match_brightness(plain, photo).astype(int) - theirs
    assert set(np.unique(difference)) == {0, 1}


def test_by_hand() -> None:
    photo = np.full([2, 3, 3], 120, np.uint8)
    cartoon = np.full([4, 5, 3], 60, np.uint8)
    cartoon[:, :, 2] = 0  # 0.886 of 60
    expected = np.rint(60 * 120 / (60 * 0.886))
    matched = match_brightness(cartoon, photo)
    assert matched.shape == (4, 5, 3)
    assert np.unique(matched[..., :2]) == expected
    assert not matched[..., 2].any()


def test_white_is_the_end_and_black_stays_black() -> None:
    white = np.full([2, 3, 3], 255, np.uint8)
    half = np.array([[[200] * 3, [50] * 3]], np.uint8)
    np.testing.assert_array_equal(match_brightness(half, white)[0, :, 0], [255, 102])
    black = np.zeros_like(half)
    np.testing.assert_array_equal(match_brightness(black, white), black)
