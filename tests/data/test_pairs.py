from __future__ import annotations

import cv2
import numpy as np
import pytest

from wbc_tf.data import pairs
from wbc_tf.data.pairs import DrawnPairs, draw_folder, vary_colours
from wbc_tf.data.pictures import ImageFolderError
from wbc_tf.files.pictures import read_rgb, write_image
from wbc_tf.ops.drawing import DrawingStyle

OPTIONS = {"style": DrawingStyle(), "short_sides": (40, 60), "scales": 2}


@pytest.fixture
def photos(tmp_path):
    """Two photos, one of which is small, and a broken file."""
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name, size in (("large", (90, 130)), ("small", (36, 70))):
        noise = random.uniform(0, 255, [*size, 3]).astype(np.float32)
        write_image(folder / f"{name}.png", np.uint8(cv2.GaussianBlur(noise, (0, 0), 4)))
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def _make(photos, tmp_path, **changes):
    options = {
        **OPTIONS,
        **{
            "cache": tmp_path / "cache",
            "jitter": 0.0,
            "patch_size": 32,
            "seed": 3,
            "name": "photo",
        },
        **changes,
    }
    return DrawnPairs(photos, **options)


def test_a_photo_is_drawn_once_at_each_scale(photos, tmp_path, monkeypatch):
    found = draw_folder(photos, cache=tmp_path / "cache", least_side=32, **OPTIONS)
    assert len(found) == 3  # the small photo is never enlarged: both its scales are one
    for pair in found:
        assert read_rgb(pair.photo).shape == read_rgb(pair.drawn).shape
    monkeypatch.setattr(pairs, "draw", None)
    assert draw_folder(photos, cache=tmp_path / "cache", least_side=32, **OPTIONS) == found


def test_another_style_is_another_pair(photos, tmp_path):
    first = draw_folder(photos, cache=tmp_path / "cache", least_side=32, **OPTIONS)
    other = {**OPTIONS, "style": DrawingStyle(ink=0.5)}
    second = draw_folder(photos, cache=tmp_path / "cache", least_side=32, **other)
    assert not set(first) & set(second)


def test_both_halves_show_the_same_place(photos, tmp_path):
    both = _make(photos, tmp_path)
    for position in range(6):
        photo, drawn = both.photo.crop(position), both.drawn.crop(position)
        assert photo.shape == drawn.shape == (32, 32, 3)
        assert np.corrcoef(photo.ravel(), drawn.ravel())[0, 1] > 0.4  # another place: near 0


def test_a_crop_follows_from_seed_and_position(photos, tmp_path):
    first, again = (_make(photos, tmp_path, jitter=0.1) for _ in range(2))
    other = _make(photos, tmp_path, jitter=0.1, seed=4)
    np.testing.assert_array_equal(first.photo.crop(7), again.photo.crop(7))
    assert np.any(first.photo.crop(7) != other.photo.crop(7))


def test_only_the_photo_varies_in_colour(photos, tmp_path):
    plain, varied = (_make(photos, tmp_path, jitter=jitter) for jitter in (0.0, 0.2))
    np.testing.assert_array_equal(plain.drawn.crop(1), varied.drawn.crop(1))
    assert np.any(plain.photo.crop(1) != varied.photo.crop(1))


def test_varied_colours_stay_in_range():
    photo = np.linspace(-1, 1, 60, dtype=np.float32).reshape(4, 5, 3)
    random = np.random.default_rng(0)
    varied = vary_colours(photo, 0.3, random)
    assert varied.dtype == np.float32
    assert np.abs(varied).max() <= 1
    np.testing.assert_array_equal(vary_colours(photo, 0.0, random), photo)


def test_a_folder_without_photos_is_refused(tmp_path, photos):
    with pytest.raises(ImageFolderError, match="there is no such folder"):
        draw_folder(tmp_path / "none", cache=tmp_path / "cache", least_side=32, **OPTIONS)
    with pytest.raises(ImageFolderError, match="a short side of 200 or more"):
        draw_folder(photos, cache=tmp_path / "cache", least_side=200, **OPTIONS)
