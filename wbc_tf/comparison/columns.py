"""The columns of a comparison: pictures from a folder, or pictures that a model makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from wbc_tf.files.find import find_images
from wbc_tf.files.pictures import read_rgb

#: The name of the first column.
PHOTO = "photo"

#: From a photo's file and its pixels to the column's picture of it. Both are uint8 [H, W, 3] RGB.
Column = Callable[[Path, np.ndarray], np.ndarray]


class ComparisonError(ValueError):
    """A comparison that cannot be made as it was asked for; nothing was written."""


class NotComparableError(ValueError):
    """A photo without a matching picture in a column; the message says why."""


def folders_by_name(arguments: Sequence[str]) -> dict[str, Path]:
    """The folders of "NAME=FOLDER" arguments.

    Raises:
      ComparisonError: an argument of another form, or a name that is taken.
    """
    folders: dict[str, Path] = {}
    for argument in arguments:
        name, equals, folder = argument.partition("=")
        if not (name and equals and folder):
            raise ComparisonError(f"'{argument}' is not NAME=FOLDER")
        if name in (PHOTO, *folders):
            raise ComparisonError(f"two columns would be called '{name}'")
        folders[name] = Path(folder)
    return folders


def files_by_stem(folder: Path) -> dict[str, list[Path]]:
    """The pictures directly in a folder, by file name without extension."""
    found: dict[str, list[Path]] = {}
    for path in find_images(folder, recursive=False):
        found.setdefault(path.stem, []).append(path)
    return found


def only_file(files: Sequence[Path], stem: str, folder: Path) -> Path:
    """The one file with a name.

    Raises:
      NotComparableError: there is none, or more than one.
    """
    if not files:
        raise NotComparableError(f"{stem}: no picture of this name in {folder}")
    if len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise NotComparableError(f"{stem}: which one is meant in {folder}? {names}")
    return files[0]


def folder_column(folder: Path, files: Mapping[str, Sequence[Path]]) -> Column:
    """The pictures of a folder. Each has the name of its photo; the extension may differ."""
    return lambda photo, rgb: read_rgb(only_file(files.get(photo.stem, ()), photo.stem, folder))


def model_column(cartoonize: Callable[[np.ndarray], np.ndarray]) -> Column:
    """What a model makes of the photos."""
    return lambda photo, rgb: cartoonize(rgb)


def models_by_name(models: Sequence[str]) -> dict[str, Path]:
    """The version folders of models, by a name each.

    The name is the model's own. Where two models have the same name, it is as much of the end of
    their paths as is needed to tell them apart.

    Raises:
      ComparisonError: no such model, or one model twice.
    """
    from wbc_tf.artefact.model_directory import ModelNotFoundError, find_model, model_name

    try:
        versions = [find_model(model) for model in models]
    except ModelNotFoundError as error:
        raise ComparisonError(str(error)) from error
    names = [model_name(version) for version in versions]
    parts = [version.resolve().parts for version in versions]
    length = 1
    while len(set(names)) < len(set(parts)):
        length += 1
        names = ["/".join(part[-length:]) for part in parts]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ComparisonError(f"two columns would be called '{repeated}'")
    return dict(zip(names, versions))
