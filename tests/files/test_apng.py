from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from wbc_tf.files.apng import encode_apng


def _frames(channels: int) -> np.ndarray:
    """Five frames; the third is the second one, the fourth differs from it in a rectangle."""
    frames = np.random.default_rng(channels).integers(0, 256, (5, 12, 17, channels), np.uint8)
    frames[2] = frames[1]
    frames[3] = frames[1]
    frames[3, 4:7, 5:11] = 9
    return frames


@pytest.mark.parametrize("channels", [3, 4])
def test_pillow_reads_the_very_frames(channels: int) -> None:
    frames, times = _frames(channels), (40.0, 41.5, 1000.0, 60_000.0, 0.0)
    content = encode_apng(frames, times, loop=7)
    with Image.open(io.BytesIO(content)) as opened:
        assert (opened.n_frames, opened.info["loop"]) == (5, 7)
        mode = "RGB" if channels == 3 else "RGBA"
        assert opened.mode == mode
        for frame, picture, time in zip(frames, ImageSequence.Iterator(opened), times):
            np.testing.assert_array_equal(np.asarray(picture.convert(mode)), frame)
            assert picture.info["duration"] == pytest.approx(time, rel=1e-4)


def test_a_viewer_that_knows_no_animation_sees_the_first_frame_and_its_metadata() -> None:
    exif = Image.Exif()
    exif[0x013B] = "somebody"
    content = encode_apng(_frames(3), (40.0,) * 5, options={"exif": exif.tobytes()})
    with Image.open(io.BytesIO(content)) as opened:
        np.testing.assert_array_equal(np.asarray(opened), _frames(3)[0])
        opened.load()
        assert opened.getexif()[0x013B] == "somebody"


def test_what_does_not_change_is_not_stored() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    one, many = (len(encode_apng([noise] * n, (40.0,) * n)) for n in (1, 20))
    assert many < 1.3 * one


def test_a_frame_of_many_hours_is_refused() -> None:
    with pytest.raises(ValueError, match="a frame of 70000 seconds is too long for a PNG file"):
        encode_apng(_frames(3), (7e7,) * 5)
