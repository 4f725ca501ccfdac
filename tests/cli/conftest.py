from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with names of each kind and nothing in the files."""
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.jpg", "c.mkv", "notes.txt"):
        (tmp_path / "photos" / name).touch()
    return tmp_path / "photos"
