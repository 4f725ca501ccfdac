from __future__ import annotations

import threading

import numpy as np
import pytest
from absl import logging

from wbc_tf.data import crops
from wbc_tf.data.crops import CropSampler
from wbc_tf.data.pictures import ImageFolderError, PictureCache
from wbc_tf.files.pictures import write_image

SIDES = (0.36, 1.0)


def sampler(folder, *, patch_size=32, seed=1, name="photo", **options):
    options = {"patch_size": patch_size, "sides": SIDES, "seed": seed, "name": name, **options}
    return CropSampler(folder, **options)


def test_a_crop_follows_from_seed_name_and_position_alone(folder):
    first, again = sampler(folder), sampler(folder)
    expected = [first.crop(i) for i in range(8)]
    # Backwards, and from a sampler that has seen nothing before.
    for i in reversed(range(8)):
        np.testing.assert_array_equal(again.crop(i), expected[i])
    for other in (sampler(folder, seed=2), sampler(folder, name="cartoon")):
        assert any(not np.array_equal(other.crop(i), expected[i]) for i in range(8))


def test_crops_are_float_pictures_of_the_size_asked_for(folder):
    crop = sampler(folder, patch_size=24).crop(0)
    assert crop.shape == (24, 24, 3)
    assert crop.dtype == np.float32
    assert -1 <= crop.min() < crop.max() <= 1


def test_each_picture_comes_once_in_an_epoch(folder):
    class Watched(PictureCache):
        def read(self, path):
            seen.append(path.name)
            return super().read(path)

    seen = []
    each = sampler(folder, cache=Watched())
    seen.clear()
    for position in range(18):
        each.crop(position)
    epochs = [seen[0:6], seen[6:12], seen[12:18]]
    assert all(sorted(epoch) == [f"{i}.png" for i in range(6)] for epoch in epochs)
    assert len(set(map(tuple, epochs))) > 1


def test_whole_pictures_lose_their_aspect_ratio_and_nothing_else(tmp_path):
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[10:, :20] = 200  # the lower left corner: told from its mirror image
    write_image(tmp_path / "corner.png", picture)
    expected = np.full((20, 20, 3), -1, np.float32)
    expected[5:, :5] = 200 / 127.5 - 1
    straight = sampler(tmp_path, patch_size=20, sides=None, flip=False)
    for position in range(8):
        np.testing.assert_allclose(straight.crop(position), expected, atol=1e-6)
    flipped = sampler(tmp_path, patch_size=20, sides=None)
    mirrored = [np.allclose(flipped.crop(i), expected[:, ::-1], atol=1e-6) for i in range(12)]
    assert True in mirrored
    assert False in mirrored


def test_threads_get_what_one_thread_gets(folder):
    each = sampler(folder)
    expected = [sampler(folder).crop(i) for i in range(16)]
    found = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: each.crop(i)})) for i in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(16):
        np.testing.assert_array_equal(found[i], expected[i])


def test_almost_blank_crops_are_drawn_again(tmp_path):
    picture = np.full((400, 400, 3), 128, np.uint8)  # sky, with a lively quarter
    # Blocks of 20 pixels, which shrinking does not average out.
    blocks = np.random.default_rng(0).integers(0, 256, (10, 10, 3))
    picture[200:, 200:] = blocks.repeat(20, axis=0).repeat(20, axis=1)
    write_image(tmp_path / "sky.png", picture)
    each = sampler(tmp_path, patch_size=64)
    blank = sum(each.crop(i).std() * 127.5 < crops.BLANK_DEVIATION for i in range(60))
    # One draw misses the quarter in about a third of all cases; eight in one of thousands.
    assert blank == 0


def test_a_picture_that_is_blank_throughout_still_gives_crops(tmp_path):
    write_image(tmp_path / "white.png", np.full((40, 60, 3), 255, np.uint8))
    np.testing.assert_array_equal(sampler(tmp_path).crop(0), np.ones((32, 32, 3), np.float32))


def test_pictures_smaller_than_the_crop_are_enlarged(tmp_path):
    write_image(
        tmp_path / "small.png",
        np.random.default_rng(0).integers(0, 256, (10, 17, 3), dtype=np.uint8),
    )
    assert sampler(tmp_path, patch_size=48).crop(3).shape == (48, 48, 3)


@pytest.mark.parametrize("sides", [SIDES, (0.2, 0.5)])
def test_the_scale_varies_between_the_sides_asked_for(folder, sides):
    ramp = np.linspace(0, 255, 1000, dtype=np.uint8)
    picture = np.repeat(np.tile(ramp[None, :, None], (700, 1, 1)), 3, axis=2)
    spans = []
    for seed in range(200):
        square = crops._one_square(picture, 32, sides, np.random.default_rng(seed))
        crop = crops._scaled(square, 32, False, np.random.default_rng(seed))
        spans.append((int(crop.max()) - int(crop.min())) / 255 * 1000 / 700)
    # The first and last of 32 averaged columns lie 31/32 of the crop's side apart.
    low, high = sides
    assert low * 31 / 32 - 0.02 <= min(spans) < low + 0.05
    assert high - 0.08 < max(spans) <= high


def test_broken_files_are_named_once_and_others_take_their_place(folder, monkeypatch):
    (folder / "broken.png").write_bytes(b"no picture")
    warnings = []
    monkeypatch.setattr(logging, "warning", lambda text, *args: warnings.append(text % args))
    each, again = sampler(folder), sampler(folder)
    for position in range(28):
        np.testing.assert_array_equal(each.crop(position), again.crop(position))
    assert len(warnings) == 2  # once for each sampler
    assert all("broken.png" in warning for warning in warnings)


@pytest.mark.parametrize("content", [[], ["a.txt"], ["a.png"]])
def test_folders_that_cannot_serve_are_named(tmp_path, content):
    for name in content:
        (tmp_path / name).write_bytes(b"")
    expected = "none of its 1 photo pictures can be read" if "a.png" in content else "0 photo"
    with pytest.raises(ImageFolderError, match=expected) as caught:
        sampler(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_too_few_pictures_and_no_folder_are_errors(folder):
    with pytest.raises(ImageFolderError, match=r"6 photo pictures, but at least 7"):
        sampler(folder, at_least=7)
    with pytest.raises(ImageFolderError, match="no such folder"):
        sampler(folder / "nowhere")


def test_broken_pictures_do_not_count(folder):
    sampler(folder, at_least=6)
    for i in (0, 5):
        (folder / f"{i}.png").write_bytes(b"no picture")
    sampler(folder, at_least=4)
    expected = r"4 photo pictures \(and 2 that cannot be read, named above\), but at least 5"
    with pytest.raises(ImageFolderError, match=expected):
        sampler(folder, at_least=5)


def test_what_a_folder_holds_instead_of_pictures_is_told(tmp_path):
    for name in ("a.psd", "b.PSD", "film.mp4", ".hidden.txt"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ImageFolderError, match=r"Passed over: 2 \.psd, 1 \.mp4; we read \.jpg"):
        sampler(tmp_path)
