from __future__ import annotations

import errno

import numpy as np
import pytest

from wbc_tf.data import pictures
from wbc_tf.data.crops import CropSampler
from wbc_tf.data.pictures import ImageFolderError, PictureCache
from wbc_tf.files.pictures import ImageReadError, read_rgb


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(pictures, "RETRY_AFTER", (0.0, 0.0))


@pytest.fixture
def reads(monkeypatch):
    """The names of all files that are really read, in their order."""
    names = []
    monkeypatch.setattr(
        pictures, "read_rgb", lambda path: names.append(path.name) or read_rgb(path)
    )
    return names


def failing(monkeypatch, name, number, *, times):
    """Reading one file fails with an error of the machine, so many times."""
    failures = []

    def read(path):
        if path.name == name and len(failures) < times:
            failures.append(path)
            raise ImageReadError(f"{path}: cannot be read") from OSError(number, "no reason")
        return read_rgb(path)

    monkeypatch.setattr(pictures, "read_rgb", read)
    return failures


def test_pictures_are_decoded_once_while_they_fit(folder, reads):
    paths = [folder / f"{i}.png" for i in (0, 1, 2)]
    pixels = [read_rgb(path) for path in paths]
    cache = PictureCache(max_bytes=pixels[0].nbytes + pixels[1].nbytes)
    for _ in range(3):
        for path, expected in zip(paths, pixels):
            np.testing.assert_array_equal(cache.read(path), expected)
    assert reads == ["0.png", "1.png", "2.png", "2.png", "2.png"]


def test_samplers_share_a_cache(folder, reads):
    cache = PictureCache()
    for name in ("photo", "sample"):
        sampler = CropSampler(
            folder, patch_size=16, sides=(0.5, 1.0), seed=0, name=name, cache=cache
        )
        for position in range(12):
            sampler.crop(position)
    assert sorted(reads) == [f"{i}.png" for i in range(6)]


def test_nobody_can_write_to_a_kept_picture(folder):
    with pytest.raises(ValueError, match="read-only"):
        PictureCache().read(folder / "0.png")[0] = 0


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ETIMEDOUT])
def test_a_passing_failure_of_the_disk_changes_nothing(folder, monkeypatch, number):
    failures = failing(monkeypatch, "1.png", number, times=2)
    picture = PictureCache().read(folder / "1.png")
    np.testing.assert_array_equal(picture, read_rgb(folder / "1.png"))
    assert len(failures) == 2


def test_a_lasting_failure_of_the_disk_stops_rather_than_leave_a_picture_out(folder, monkeypatch):
    failing(monkeypatch, "1.png", errno.EIO, times=100)
    with pytest.raises(ImageFolderError, match=r"1\.png: cannot be read.*failed 3 times"):
        PictureCache().read(folder / "1.png")


def test_a_file_that_is_not_ours_to_read_is_left_out(folder, monkeypatch):
    failures = failing(monkeypatch, "1.png", errno.EACCES, times=100)
    cache = PictureCache()
    assert cache.read(folder / "1.png") is None
    assert cache.read(folder / "1.png") is None
    assert len(failures) == 1
