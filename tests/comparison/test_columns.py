from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from wbc_tf.comparison.columns import (
    ComparisonError,
    NotComparableError,
    files_by_stem,
    folder_column,
    folders_by_name,
    model_column,
    models_by_name,
)
from wbc_tf.files.pictures import write_image


def _flat(level: int) -> np.ndarray:
    return np.full((4, 6, 3), level, np.uint8)


def test_a_folder_has_the_picture_of_the_photos_name(tmp_path: Path) -> None:
    write_image(tmp_path / "ant.png", _flat(9))
    write_image(tmp_path / "bee.png", _flat(1))
    write_image(tmp_path / "bee.bmp", _flat(2))
    column = folder_column(tmp_path, files_by_stem(tmp_path))
    np.testing.assert_array_equal(column(Path("photos/ant.jpg"), _flat(0)), _flat(9))
    with pytest.raises(NotComparableError, match=r"which one is meant in .*bee.bmp, bee.png"):
        column(Path("photos/bee.jpg"), _flat(0))
    with pytest.raises(NotComparableError, match="cat: no picture of this name"):
        column(Path("photos/cat.jpg"), _flat(0))


def test_a_model_gets_the_photos_pixels() -> None:
    column = model_column(lambda rgb: 255 - rgb)
    np.testing.assert_array_equal(column(Path("photos/ant.jpg"), _flat(9)), _flat(246))


def test_folders_come_by_name_and_names_come_once() -> None:
    assert folders_by_name(["a=b=c", "d=e"]) == {"a": Path("b=c"), "d": Path("e")}
    for arguments in (["mine"], ["=mine"], ["mine="]):
        with pytest.raises(ComparisonError, match="is not NAME=FOLDER"):
            folders_by_name(arguments)
    for arguments in (["a=b", "a=c"], ["photo=b"]):
        with pytest.raises(ComparisonError, match="two columns would be called"):
            folders_by_name(arguments)


def test_models_of_one_name_are_told_apart_by_their_paths(tiny_model: Path, tmp_path: Path) -> None:
    models = [str(tmp_path / name / "model") for name in ("first", "second")]
    for model in models:
        shutil.copytree(tiny_model, model)
    versions = models_by_name(models)
    assert list(versions) == ["first/model/1", "second/model/1"]
    assert list(versions.values()) == [Path(model, "1") for model in models]
    with pytest.raises(ComparisonError, match="two columns would be called 'tiny'"):
        models_by_name([str(tiny_model), str(tiny_model / "1")])
    with pytest.raises(ComparisonError, match="no model 'nowhere'"):
        models_by_name(["nowhere"])
