from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wbc_tf.files.pictures import Animation, decode_photo, encode_animation, read_photo
from wbc_tf.inference.jobs import Job
from wbc_tf.inference.photo import as_cartoon, encode_result, read_job


@pytest.fixture
def animation() -> Animation:
    blocks = np.random.default_rng(3).integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)
    return Animation(blocks, None, (40.0, 120.0, 70.0), 2)


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


def test_an_animation_stays_one_in_its_own_format(tmp_path: Path, animation: Animation) -> None:
    (tmp_path / "a.gif").write_bytes(encode_animation(animation, file_format="GIF"))
    photo = read_job(Job(tmp_path / "a.gif", tmp_path / "b.gif"))
    (tmp_path / "b.gif").write_bytes(
        encode_result(as_cartoon(photo, 255 - animation.rgb), tmp_path / "b.gif")
    )
    cartoon = read_photo(tmp_path / "b.gif", animated=True).animation
    assert cartoon is not None
    np.testing.assert_array_equal(cartoon.rgb, 255 - animation.rgb)
    assert (cartoon.milliseconds, cartoon.loop) == (animation.milliseconds, 2)


def test_what_the_target_cannot_hold_is_noted(tmp_path: Path, animation: Animation) -> None:
    (tmp_path / "a.gif").write_bytes(encode_animation(animation, file_format="GIF"))
    photo = read_job(Job(tmp_path / "a.gif", tmp_path / "a.jpg"))
    assert photo.animation is None
    assert photo.notes == ("only the first of 3 frames: JPEG is another format",)

    content = io.BytesIO()
    Image.new("RGBA", (6, 4), (10, 10, 10, 10)).save(content, "PNG")
    (tmp_path / "c.webp").write_bytes(content.getvalue())
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
