from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from tests.animations import moving
from wbc_tf.files.animation import Animation
from wbc_tf.files.gif import encode_gif, palette_picture


def _encode(animation: Animation) -> bytes:
    return encode_gif(animation.frames(), animation.milliseconds, loop=animation.loop)


def _read(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as opened:
        return np.stack([np.asarray(f.convert("RGBA")) for f in ImageSequence.Iterator(opened)])


def test_transparent_pixels_survive_frame_by_frame() -> None:
    """Black is the colour that stands for the transparent pixels; 20 rows would be interlaced."""
    rgb, alpha = np.zeros((5, 20, 31, 3), np.uint8), np.full((5, 20, 31), 255, np.uint8)
    rgb[0, 3:9, 4:12] = 200  # the rest is black, and opaque
    alpha[1, :, 7:] = 0
    alpha[2] = 0  # nothing to be seen
    rgb[3], alpha[3, 11:] = (10, 20, 250), 127
    rgb[4] = np.mgrid[:20, :31].sum(0)[..., None] * [5, 2, 1]
    read = _read(_encode(moving(rgb, alpha, (50.0,) * 5)))
    shown = alpha >= 128
    np.testing.assert_array_equal(read[..., 3], np.where(shown, 255, 0))
    np.testing.assert_array_equal(read[..., :3][shown], rgb[shown])


def test_opaque_frames_store_what_changes() -> None:
    noise = np.random.default_rng(0).integers(0, 64, (1, 40, 50, 1), np.uint8) * 4
    rgb = np.tile(noise, (12, 1, 1, 3))
    for number in range(1, 12):
        rgb[number:, 3 * number : 3 * number + 2, 10:30] = (255, 10 * number, 0)
    rgb[6] = rgb[5]
    content = _encode(moving(rgb, None, (50.0,) * 12))
    np.testing.assert_array_equal(_read(content)[..., :3], rgb)
    assert len(content) < 2 * len(_encode(moving(rgb[:1], None, (50.0,))))


def test_times_are_whole_hundredths_whose_sum_is_right() -> None:
    rgb = np.zeros((6, 4, 5, 3), np.uint8)
    with Image.open(io.BytesIO(_encode(moving(rgb, None, (1000 / 30,) * 6, 7)))) as opened:
        times = [frame.info["duration"] for frame in ImageSequence.Iterator(opened)]
        assert opened.info["loop"] == 7
    assert times == [30, 40, 30, 30, 40, 30]
    with pytest.raises(ValueError, match="a frame of 700 seconds is too long for a GIF file"):
        _encode(moving(rgb, None, (7e5,) * 6))


def test_a_palette_has_a_place_for_transparency_only_where_it_is_needed() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    assert np.asarray(palette_picture(rgb, None)).max() == 255
    alpha = np.full((30, 40), 128, np.uint8)
    alpha[3:5] = 127
    picture = palette_picture(rgb, alpha)
    assert picture.info["transparency"] == 255
    np.testing.assert_array_equal(np.asarray(picture) == 255, alpha < 128)
