from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.page.stand_ins import stand_in
from wbc_tf.files.pictures import Photo, read_photo, read_rgb, write_image
from wbc_tf.images import reduce_to_short_side
from wbc_tf.inference.settings import DrawSettings
from wbc_tf.page.limits import Limits
from wbc_tf.page.photos import (
    PREVIEW_SIDE,
    draw_photos,
    draw_upload,
    encode_upload,
    read_upload,
    write_preview,
    write_zip,
)
from wbc_tf.page.refusal import Refusal

SETTINGS = DrawSettings()


def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    made = tmp_path / "one", tmp_path / "two", tmp_path / "made"
    for folder in made:
        folder.mkdir()
    return made


def test_photos_of_one_name_keep_their_own_size_format_and_metadata(tmp_path: Path) -> None:
    one, two, made = folders(tmp_path)
    exif = Image.Exif()
    exif[0x010E] = "a cat"
    Image.new("RGB", (30, 20), (255, 128, 128)).save(one / "cat.jpg", exif=exif)
    Image.new("RGB", (40, 50)).save(two / "cat.jpg")
    steps: list[tuple[int, int]] = []
    drawn = draw_photos(
        stand_in(),
        [one / "cat.jpg", two / "cat.jpg"],
        SETTINGS,
        made,
        limits=Limits(),
        progress=lambda done, total: steps.append((done, total)),
    )
    assert steps == [(1, 2), (2, 2)]
    assert [read_rgb(file).shape for file in drawn.files] == [(20, 30, 3), (50, 40, 3)]
    with Image.open(drawn.files[0]) as cartoon:
        assert (cartoon.format, cartoon.getexif()[0x010E]) == ("JPEG", "a cat")
    write_zip(drawn.files, made / "all.zip")
    with zipfile.ZipFile(made / "all.zip") as archive:
        assert archive.namelist() == ["cat.jpg", "cat-2.jpg"]
        assert archive.read("cat-2.jpg") == drawn.files[1].read_bytes()


def test_a_bad_photo_is_named_and_the_others_are_made(tmp_path: Path) -> None:
    one, two, made = folders(tmp_path)
    write_image(one / "good.png", np.full((20, 30, 3), 200, np.uint8))
    (one / "text.png").write_text("no picture", "utf-8")
    whole = one / "whole.png"
    write_image(whole, np.random.default_rng(0).integers(0, 255, (60, 50, 3), np.uint8))
    (two / "half.png").write_bytes(whole.read_bytes()[:3000])
    write_image(two / "large.png", np.zeros((100, 110, 3), np.uint8))
    sources = [one / "text.png", two / "half.png", two / "large.png", one / "good.png"]
    limits = Limits(max_megapixels=0.01)
    drawn = draw_photos(stand_in(), sources, SETTINGS, made, limits=limits)
    assert [file.name for file in drawn.files] == ["good.png"]
    assert [failure.split(":")[0] for failure in drawn.failures] == [
        *("text.png", "half.png", "large.png")
    ]
    assert drawn.failures[0] == "text.png: not a picture of a kind that can be read here."
    assert "At most 0.01 megapixels are allowed." in drawn.failures[2]
    assert not any(str(tmp_path) in failure for failure in drawn.failures)
    with pytest.raises(Refusal, match=r"^text\.png: .*\.$"):
        draw_photos(stand_in(), sources[:1], SETTINGS, made / "again", limits=limits)


def test_one_photo_in_steps_is_what_many_at_once_give(tmp_path: Path) -> None:
    one, two, made = folders(tmp_path)
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    frames[0].save(one / "moving.webp", save_all=True, append_images=frames[1:], duration=90)
    exif = Image.Exif()
    exif[0x010E] = "a cat"
    frames[0].save(one / "still.jpg", exif=exif)
    limits = Limits()
    for source in one.iterdir():
        job, photo = read_upload(source, two, limits=limits)
        cartoon = draw_upload(stand_in(), job, photo, SETTINGS, limits=limits)
        drawn = draw_photos(stand_in(), [source], SETTINGS, made / source.stem, limits=limits)
        assert encode_upload(job, cartoon, limits=limits) == drawn.files[0].read_bytes()


def test_a_photo_that_a_model_cannot_take_is_a_sentence(tmp_path: Path) -> None:
    one, two, _ = folders(tmp_path)
    write_image(one / "photo.png", np.zeros((40, 50, 3), np.uint8))
    job, photo = read_upload(one / "photo.png", two, limits=Limits())
    model = stand_in(reach="whole", bytes_per_pixel=2**20)  # more than a gigabyte for this photo
    with pytest.raises(Refusal, match=r"^photo\.png: 50 x 40 pixels take .*\.$"):
        draw_upload(model, job, photo, SETTINGS, limits=Limits())


def test_no_photo_and_too_many_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="Choose a photo first"):
        draw_photos(stand_in(), [], SETTINGS, tmp_path, limits=Limits())
    with pytest.raises(Refusal, match=r"3 photos are too many .* At most 2"):
        draw_photos(
            stand_in(), [Path("a.png")] * 3, SETTINGS, tmp_path, limits=Limits(max_photos=2)
        )


def test_a_picture_of_one_pixel_is_a_picture(tmp_path: Path) -> None:
    one, _, made = folders(tmp_path)
    write_image(one / "dot.png", np.full((1, 1, 3), 255, np.uint8))
    drawn = draw_photos(stand_in(), [one / "dot.png"], SETTINGS, made, limits=Limits())
    assert read_rgb(drawn.files[0]).shape == (1, 1, 3)


def test_a_preview_is_a_small_jpeg_whatever_the_file_is(tmp_path: Path) -> None:
    Image.new("RGBA", (2 * PREVIEW_SIDE, 3 * PREVIEW_SIDE)).save(tmp_path / "clear.tif")
    preview = read_photo(write_preview(read_photo(tmp_path / "clear.tif"), tmp_path, "before"))
    assert (preview.format, preview.rgb.shape) == ("JPEG", (1350, PREVIEW_SIDE, 3))
    assert (preview.rgb == 255).all(), "transparency is laid over white"


def test_a_preview_is_the_mean_of_the_pixels_that_it_stands_for(tmp_path: Path) -> None:
    height, width = 4 * PREVIEW_SIDE + 3, 4 * PREVIEW_SIDE + 61
    rows, columns = np.mgrid[:height, :width]
    stripes = 90 * np.sin(rows / 40 + columns / 60)
    rgb = np.dstack([120 + stripes, 120 + stripes / 2, 255 * columns / width])
    photo = Photo(rgb.astype(np.uint8), None, "PNG")
    preview = read_rgb(write_preview(photo, tmp_path, "large")).astype(int)
    expected = reduce_to_short_side(photo.rgb, PREVIEW_SIDE)
    assert preview.shape == expected.shape
    assert np.abs(preview - expected).mean() < 2
