from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.video.clips import MATRICES, make
from wbc_tf.video.frames import UPRIGHT, Orientation, VideoProperties, display_matrix

STORED = np.random.default_rng(0).integers(0, 256, (3, 5, 3), dtype=np.uint8)


def upright(orientation: int) -> np.ndarray:
    """By Pillow, from EXIF's number for it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = io.BytesIO()
    Image.fromarray(STORED).save(content, "PNG", exif=exif)
    return np.array(ImageOps.exif_transpose(Image.open(content)))


@pytest.mark.parametrize("number", MATRICES)
def test_pictures_are_shown_as_exif_has_it_and_stored_back(number: int) -> None:
    orientation = Orientation.from_matrix(MATRICES[number])
    shown = orientation.shown(STORED)
    np.testing.assert_array_equal(shown, upright(number))
    np.testing.assert_array_equal(orientation.stored(shown), STORED)
    assert shown.flags.c_contiguous
    assert orientation.swapped == (number >= 5)


@pytest.mark.parametrize(("number", "degrees"), [(6, -90), (8, 90)])
def test_the_matrices_are_what_pyav_calls_rotations(
    tmp_path: Path, number: int, degrees: int
) -> None:
    with av.open(str(make(tmp_path / "a.mp4", times=[0], matrix=MATRICES[number]))) as container:
        frame = next(container.decode(video=0))
    assert frame.rotation == degrees
    assert display_matrix(frame) == MATRICES[number]


def test_what_is_no_quarter_turn_is_left_to_the_player() -> None:
    tilted = (46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30)
    assert Orientation.from_matrix(tilted) == UPRIGHT
    assert Orientation.from_matrix(None) == UPRIGHT


def test_a_frame_may_have_none(tmp_path: Path) -> None:
    with av.open(str(make(tmp_path / "a.mkv", times=[0]))) as container:
        assert display_matrix(next(container.decode(video=0))) is None


def test_the_orientation_follows_from_the_matrix() -> None:
    plain = VideoProperties(Fraction(1, 25), Fraction(25))
    assert plain.orientation == UPRIGHT
    turned = VideoProperties(Fraction(1, 25), Fraction(25), matrix=MATRICES[6])
    assert turned.orientation == Orientation(swapped=True, mirrored=True)
