from __future__ import annotations

import os

import numpy as np
import pytest

from wbc_tf.evaluation import pictures as module
from wbc_tf.evaluation.pictures import NoPicturesError, PictureFolder, extract_rows, paired
from wbc_tf.files.pictures import write_image


def _flat(level, height=4, width=6):
    return np.full([height, width, 3], level, np.uint8)


@pytest.fixture
def folder(tmp_path):
    for i in range(5):
        path = tmp_path / ("sub" if i > 3 else "") / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        write_image(path, _flat(10 * i, height=4 + i))
    return tmp_path


def _means(batch):
    return np.array([[picture.mean(), picture.max()] for picture in batch])


@pytest.mark.parametrize("batch_size", [1, 2, 5, 8])
def test_rows_stand_in_order_whatever_the_batches(folder, monkeypatch, batch_size):
    monkeypatch.setattr(module, "BATCH_SIZE", batch_size)
    sizes = []

    def heights(batch):
        sizes.append(len(batch))
        return np.array([[picture.shape[0]] for picture in batch])

    rows = extract_rows(PictureFolder(folder, label="x"), {"mean": _means, "height": heights})
    np.testing.assert_array_equal(rows["mean"], [[10 * i, 10 * i] for i in range(5)])
    np.testing.assert_array_equal(rows["height"].ravel(), [4, 5, 6, 7, 8])
    assert max(sizes) <= batch_size
    assert sum(sizes) == 5


def test_a_picture_with_several_names_counts_once_under_the_first(folder, capsys):
    once = extract_rows(PictureFolder(folder, label="x"), {"mean": _means})["mean"]
    (folder / "sub" / "up").symlink_to(folder)  # a folder in itself
    (folder / "sub" / "other sub").symlink_to(folder / "sub")
    (folder / "1 again.png").symlink_to(folder / "1.png")
    os.link(folder / "2.png", folder / "sub" / "z.png")
    (folder / "to nothing.png").symlink_to(folder / "gone.png")
    pictures = PictureFolder(folder, label="x")
    rows = extract_rows(pictures, {"mean": _means})["mean"]
    np.testing.assert_array_equal(rows, once)
    assert pictures.by_name().keys() == {"0", "1 again", "2", "3", "sub/4"}
    assert (pictures.summary()["count"], pictures.summary()["broken"]) == (5, 1)
    assert "2 links to pictures that are there already" in capsys.readouterr().err


def test_broken_pictures_are_named_once_and_counted(folder, capsys):
    (folder / "2.png").write_bytes(b"no picture")
    pictures = PictureFolder(folder, label="x")
    for _ in range(2):
        assert extract_rows(pictures, {"mean": _means})["mean"][:, 0].tolist() == [0, 10, 30, 40]
    assert pictures.read(folder / "2.png") is None
    told = capsys.readouterr().err
    assert told.count("failed: ") == 1
    assert f"failed: {folder / '2.png'}: not a picture" in told
    assert pictures.summary() == {
        "folder": str(folder),
        "count": 4,
        "broken": 1,
        "smallest": (6, 4),
        "largest": (6, 8),
    }


def test_a_folder_without_a_readable_picture_is_an_error(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    pictures = PictureFolder(tmp_path, label="x")
    with pytest.raises(NoPicturesError, match=f"{tmp_path}: none of its pictures can be read"):
        extract_rows(pictures, {"mean": _means})
    assert pictures.summary()["smallest"] is None


def test_a_folder_without_pictures_is_an_error(tmp_path):
    with pytest.raises(NoPicturesError, match="no pictures in it"):
        PictureFolder(tmp_path, label="x")
    with pytest.raises(NotADirectoryError):
        PictureFolder(tmp_path / "nowhere", label="x")


def test_pairs_are_found_by_name_whatever_the_extension(tmp_path):
    for name in ("photo/a.jpg", "photo/sub/b.png", "photo/c.png", "photo/d.png", "photo/d.bmp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(tmp_path / name, _flat(9))
    for name in ("new/a.png", "new/sub/b.webp", "new/d.png", "new/e.png", "new/broken.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(tmp_path / name, _flat(9))
    photos = PictureFolder(tmp_path / "photo", label="photos")
    new = PictureFolder(tmp_path / "new", label="generated")
    new.broken[tmp_path / "new" / "broken.png"] = "cut off"
    pairs, alone = paired(photos, new)
    assert pairs == [
        (tmp_path / "photo/a.jpg", tmp_path / "new/a.png"),
        (tmp_path / "photo/sub/b.png", tmp_path / "new/sub/b.webp"),
    ]
    assert alone == [
        f"c: not in {tmp_path / 'new'}",
        f"d: 2 times in {tmp_path / 'photo'}",
        f"e: not in {tmp_path / 'photo'}",
    ]
