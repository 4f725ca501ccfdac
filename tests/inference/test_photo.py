from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.animations import moving, pixels
from wbc_tf.files.animation import Animation
from wbc_tf.files.formats import FORMATS
from wbc_tf.files.pictures import decode_photo, encode_animation, read_photo
from wbc_tf.inference.jobs import Job
from wbc_tf.inference.photo import as_cartoon, as_moving_cartoon, encode_result, read_job


@pytest.fixture
def animation() -> Animation:
    blocks = np.random.default_rng(3).integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)
    return moving(blocks)


@pytest.mark.parametrize(("height", "width"), [(4, 6), (2, 3)])
def test_transparency_has_the_size_of_the_cartoon(tmp_path: Path, height: int, width: int) -> None:
    rgba = np.full((4, 6, 4), 10, np.uint8)
    rgba[..., 3] = np.where(np.arange(6) < 2, 0, 255)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    photo = read_job(Job(tmp_path / "a.png", tmp_path / "b.webp"))
    cartoon = np.full((height, width, 3), 77, np.uint8)
    written = decode_photo(encode_result(as_cartoon(photo, cartoon), Path("b.png")), name="b.png")
    np.testing.assert_array_equal(written.rgb, cartoon)
    columns = np.array([0, 0, 255, 255, 255, 255] if width == 6 else [0, 255, 255])
    np.testing.assert_array_equal(written.alpha, np.broadcast_to(columns, (height, width)))


def test_an_animation_is_drawn_a_few_frames_at_a_time(tmp_path: Path) -> None:
    rgba = np.random.default_rng(3).integers(0, 256, (3, 4, 6, 4), dtype=np.uint8)
    rgba[..., 3] = 255 * (rgba[..., 3] > 100)
    original = moving(rgba[..., :3], rgba[..., 3])
    (tmp_path / "a.png").write_bytes(encode_animation(original, file_format="PNG"))
    photo = read_job(Job(tmp_path / "a.png", tmp_path / "b.png"))
    sizes = []

    def invert(rgb: np.ndarray) -> np.ndarray:
        sizes.append(len(rgb))
        return 255 - rgb

    cartoon = as_moving_cartoon(photo, invert, at_once=2)
    assert sizes == [], "drawn when the frames are asked for"
    (tmp_path / "b.png").write_bytes(encode_result(cartoon, tmp_path / "b.png"))
    assert sizes == [2, 1]
    read = read_photo(tmp_path / "b.png", animated=True).animation
    assert read is not None
    np.testing.assert_array_equal(pixels(read)[..., :3], 255 - rgba[..., :3])
    np.testing.assert_array_equal(pixels(read)[..., 3], rgba[..., 3])
    assert (read.milliseconds, read.loop) == (original.milliseconds, 2)


def test_a_moving_cartoons_transparency_has_its_size(tmp_path: Path) -> None:
    alpha = np.zeros((2, 4, 6), np.uint8)
    alpha[:, :, 2:] = 255
    original = moving(np.full((2, 4, 6, 3), 9, np.uint8), alpha, (40.0, 50.0))
    (tmp_path / "a.png").write_bytes(encode_animation(original, file_format="PNG"))
    photo = read_job(Job(tmp_path / "a.png", tmp_path / "b.png"))
    small = as_moving_cartoon(photo, lambda rgb: rgb[:, ::2, ::2], at_once=8).animation
    np.testing.assert_array_equal(pixels(small)[0, :, :, 3], [[0, 255, 255]] * 2)


@pytest.mark.parametrize("source", ["GIF", "WEBP", "PNG"])
@pytest.mark.parametrize("target", ["GIF", "WEBP", "PNG"])
def test_an_animation_stays_one_in_every_format_that_can_hold_it(
    tmp_path: Path, source: str, target: str
) -> None:
    rgb = np.zeros((3, 20, 30, 3), np.uint8)
    rgb[1:, 5:15], rgb[2, :, 10:20] = 200, (0, 90, 180)
    alpha = np.full((3, 20, 30), 255, np.uint8)
    alpha[1, :8], alpha[2] = 0, 0
    once = {"GIF": None, "WEBP": 1, "PNG": 1}
    for before, after in ((once[source], once[target]), (0, 0), (4, 4)):
        original = moving(rgb, alpha, (40.0, 120.0, 70.0), before)
        (tmp_path / "a").write_bytes(encode_animation(original, file_format=source))
        job = Job(tmp_path / "a", tmp_path / f"b{FORMATS[target]}")
        photo = read_job(job)
        assert photo.notes == ()
        job.target.write_bytes(encode_result(photo, job.target))
        read = read_photo(job.target, animated=True)
        assert (read.format, read.notes) == (target, ())
        assert read.animation is not None
        np.testing.assert_array_equal(pixels(read.animation)[..., 3], alpha)
        assert read.animation.milliseconds == original.milliseconds
        assert read.animation.loop == after


def test_what_the_target_cannot_hold_is_noted(tmp_path: Path, animation: Animation) -> None:
    (tmp_path / "a.gif").write_bytes(encode_animation(animation, file_format="GIF"))
    photo = read_job(Job(tmp_path / "a.gif", tmp_path / "a.jpg"))
    assert photo.animation is None
    assert photo.notes == ("only the first of 3 frames: JPEG files do not move",)

    content = io.BytesIO()
    Image.new("RGBA", (6, 4), (10, 10, 10, 10)).save(content, "PNG")
    (tmp_path / "c.webp").write_bytes(content.getvalue())
    photo = read_job(Job(tmp_path / "c.webp", tmp_path / "c.gif"))
    assert "partly transparent become opaque or clear" in photo.notes[1]
    photo = read_job(Job(tmp_path / "c.webp", tmp_path / "c.jpg"))
    assert photo.notes == (
        "named like WEBP, but it is PNG",
        "transparency laid over white: JPEG has none",
    )
    assert (
        decode_photo(
            encode_result(as_cartoon(photo, photo.rgb), Path("c.jpg")), name="c.jpg"
        ).rgb.min()
        > 240
    )
