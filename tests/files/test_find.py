from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from wbc_tf.files.find import EXTENSIONS, find_images


@pytest.fixture
def picture() -> np.ndarray:
    """A non-square picture of which no flip or rotation equals another."""
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def test_find_images_sorts_and_leaves_out_what_is_hidden_or_no_picture(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", ".hidden.png", "notes.txt", "sub/c.webp", ".git/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert found == ["a.png", "b.JPG", "sub/c.webp"]
    flat = [path.name for path in find_images(tmp_path, recursive=False)]
    assert flat == ["a.png", "b.JPG"]


def test_find_images_takes_every_known_extension(tmp_path: Path) -> None:
    for extension in EXTENSIONS:
        (tmp_path / f"a{extension}").touch()
    assert {path.suffix for path in find_images(tmp_path)} == set(EXTENSIONS)


def test_find_images_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="no such folder"):
        list(find_images(tmp_path / "nowhere"))


def test_links_to_folders_are_followed_but_no_folder_is_visited_twice(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.png").touch()
    (tmp_path / "deep" / "b.png").touch()
    for name in ("one", "two"):  # two that point upward never ended
        (tmp_path / "deep" / name).symlink_to(tmp_path)
    (tmp_path / "itself.png").symlink_to("itself.png")
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert found == ["a.png", "deep/b.png", "itself.png"]


def test_files_that_are_left_out_and_folders_that_cannot_be_listed_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.png", "notes.txt", "deep/b.png", "deep/data.csv", ".hidden.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    listdir = os.listdir

    def refuse(folder: Path) -> list[str]:  # root may list everything
        if folder.name == "deep":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return listdir(folder)

    ignored: list[Path] = []
    found = [path.name for path in find_images(tmp_path, ignored=ignored.append)]
    assert found == ["a.png", "b.png"]
    assert [path.name for path in ignored] == ["data.csv", "notes.txt"]

    monkeypatch.setattr(os, "listdir", refuse)
    unreadable: list[Path] = []
    found = list(find_images(tmp_path, unreadable=lambda folder, _: unreadable.append(folder)))
    assert found == [tmp_path / "a.png"]
    assert unreadable == [tmp_path / "deep"]
    with pytest.raises(PermissionError):
        list(find_images(tmp_path))
