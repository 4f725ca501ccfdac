from __future__ import annotations

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
