from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from wbc_tf.comparison import compare as module
from wbc_tf.comparison.columns import ComparisonError
from wbc_tf.comparison.compare import ComparisonConfig, ComparisonResult, compare
from wbc_tf.files.pictures import read_rgb, write_image


def _save(path: Path, height: int, width: int) -> None:
    path.parent.mkdir(exist_ok=True)
    write_image(path, np.full((height, width, 3), 90, np.uint8))


def _compare(folder: Path, *, height: int = 640) -> ComparisonResult:
    config = ComparisonConfig(
        photos=folder / "photos",
        folders={"mine": folder / "mine"},
        models=[],
        output=folder / "output",
        height=height,
    )
    return compare(config, load_model=lambda version: pytest.fail("there is no model"))


def test_memory_does_not_grow_with_the_number_of_photos(tmp_path: Path) -> None:
    for number in range(12):
        for folder in ("photos", "mine"):
            _save(tmp_path / folder / f"{number}.png", 1200, 1600)
    tracemalloc.start()
    try:
        assert _compare(tmp_path, height=1200).compared == 12
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # All pictures together take 12 * 2 * 5.8 MB = 138 MB. The sheet takes some 50 MB.
    assert peak < 110e6


def test_height_bounds_the_pictures_and_a_panorama_its_width(tmp_path: Path) -> None:
    for folder in ("photos", "mine"):
        _save(tmp_path / folder / "plain.png", 32, 48)
        _save(tmp_path / folder / "wide.png", 30, 900)
    text = _compare(tmp_path, height=16).page.read_text("utf-8")
    assert text.count('width="24" height="16"') == 2
    assert text.count('width="64" height="2"') == 2


def test_the_sheet_shows_the_first_photos_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHEET_ROWS", 2)
    for number in range(3):
        for folder in ("photos", "mine"):
            _save(tmp_path / folder / f"{number}.png", 32, 48)
    result = _compare(tmp_path)
    assert result.page.read_text("utf-8").count("<figure>") == 3
    assert read_rgb(result.sheet).shape[0] == 32 + 2 * 372
    assert str(result) == f"3 compared, 0 left out: {result.page} and {result.sheet} (the first 2)"


def test_a_missing_folder_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ComparisonError, match="photos: there is no such folder"):
        _compare(tmp_path)
