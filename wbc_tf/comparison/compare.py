"""Writes a comparison: a page with sliders and a contact sheet.

One row of pictures is in memory at a time, however many photos there are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from wbc_tf.comparison.columns import (
    PHOTO,
    Column,
    ComparisonError,
    NotComparableError,
    files_by_stem,
    folder_column,
    model_column,
    models_by_name,
    only_file,
)
from wbc_tf.comparison.contact_sheet import contact_sheet, scaled_to_height
from wbc_tf.comparison.slider_page import slider_page
from wbc_tf.files.pictures import ImageReadError, read_rgb, write_image
from wbc_tf.files.whole import whole_file

#: The sheet shows this many rows. It is then some 11,000 pixels high, which most viewers open.
SHEET_ROWS = 30
_SHEET_HEIGHT = 360
# Nothing that is compared is cropped by more: the authors' program cuts seven pixels at most.
_PROPORTIONS_DIFFER = 0.1
# A panorama at full height would be wider than any screen.
_LONGEST = 4

#: A caption and a picture for each column, all uint8 [H, W, 3] of one size.
Row = tuple[str, list[np.ndarray]]


@dataclass(frozen=True)
class ComparisonConfig:
    """What is compared, and where the result goes.

    Attributes:
      photos: folder of the photos.
      folders: column name -> folder whose pictures are named as their photos are.
      models: model directories, or names of models, that cartoonize the photos.
      output: folder for comparison.html and contact_sheet.png.
      height: of the page's pictures, in pixels; smaller photos stay as they are.

    Raises:
      ComparisonError: a folder is missing, or `output` is one of the folders.
    """

    photos: Path
    folders: Mapping[str, Path]
    models: Sequence[str]
    output: Path
    height: int = 640

    def __post_init__(self) -> None:
        for folder in (self.photos, *self.folders.values()):
            if not folder.is_dir():
                raise ComparisonError(f"{folder}: there is no such folder")
            if folder.resolve() == self.output.resolve():
                raise ComparisonError(
                    f"--output={self.output} holds pictures to compare; choose another folder"
                )


@dataclass(frozen=True)
class ComparisonResult:
    """What was written.

    Attributes:
      page: the page with sliders.
      sheet: the contact sheet.
      compared: rows of the page.
      left_out: photos that could not be compared; each was named on stderr.
    """

    page: Path
    sheet: Path
    compared: int
    left_out: int

    def __str__(self) -> str:
        if not self.compared:
            return f"nothing written: none of {self.left_out} photos can be compared"
        first = f" (the first {SHEET_ROWS})" if self.compared > SHEET_ROWS else ""
        counts = f"{self.compared} compared, {self.left_out} left out"
        return f"{counts}: {self.page} and {self.sheet}{first}"


def compare(
    config: ComparisonConfig,
    *,
    load_model: Callable[[Path], Callable[[np.ndarray], np.ndarray]],
) -> ComparisonResult:
    """Compares photos with the pictures of each column.

    Nothing is written where no photo can be compared.

    Args:
      config: what to compare.
      load_model: from a model's version folder to a function that cartoonizes uint8 [H, W, 3].

    Raises:
      ComparisonError: no photos, no such model, or two columns of one name.
      OSError: the output folder cannot be written.
    """
    photos = files_by_stem(config.photos)
    if not photos:
        raise ComparisonError(f"--photos={config.photos}: no pictures in it")
    files = {name: files_by_stem(folder) for name, folder in config.folders.items()}
    columns = {name: folder_column(config.folders[name], files[name]) for name in files}
    versions = models_by_name(config.models) if config.models else {}
    for name in versions:
        if name in (PHOTO, *columns):
            raise ComparisonError(f"two columns would be called '{name}'")
    columns.update({name: model_column(load_model(path)) for name, path in versions.items()})

    page, sheet = config.output / "comparison.html", config.output / "contact_sheet.png"
    rows = _rows(photos, columns, config)
    first = next(rows, None)
    compared = 0
    if first is not None:
        config.output.mkdir(parents=True, exist_ok=True)
        compared = _write(chain([first], rows), (PHOTO, *columns), page=page, sheet=sheet)
    for name in files:
        _name_unmatched(name, config.folders[name], files[name].keys() - photos.keys())
    return ComparisonResult(page, sheet, compared, len(photos) - compared)


def _rows(
    photos: Mapping[str, Sequence[Path]], columns: Mapping[str, Column], config: ComparisonConfig
) -> Iterator[Row]:
    """The photos that can be compared; the others are named on stderr."""
    for stem, files in tqdm(photos.items(), unit="img", disable=None):
        try:
            photo = only_file(files, stem, config.photos)
            pictures = _row(photo, columns, height=config.height)
        except (ImageReadError, NotComparableError) as error:
            tqdm.write(f"left out: {error}", file=sys.stderr)
            continue
        yield stem, pictures


def _row(photo: Path, columns: Mapping[str, Column], *, height: int) -> list[np.ndarray]:
    """The photo and its pictures, all of one size and none enlarged beyond the photo's."""
    rgb = read_rgb(photo)
    full_height, full_width = rgb.shape[:2]
    shrink = min(1.0, height / full_height, _LONGEST * height / full_width)
    size = max(1, round(full_width * shrink)), max(1, round(full_height * shrink))
    row = [_resized(rgb, size)]
    for name, column in columns.items():
        picture = column(photo, rgb)
        ratio = picture.shape[1] * full_height / (picture.shape[0] * full_width)
        if max(ratio, 1 / ratio) > 1 + _PROPORTIONS_DIFFER:
            raise NotComparableError(
                f"{photo.stem}: {full_width} x {full_height} in {photo.parent}, but "
                f"{picture.shape[1]} x {picture.shape[0]} as '{name}': not the same picture"
            )
        row.append(_resized(picture, size))
    return row


def _resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def _write(rows: Iterable[Row], names: Sequence[str], *, page: Path, sheet: Path) -> int:
    """Writes page and sheet; returns the number of rows."""
    on_sheet: list[list[np.ndarray]] = []
    compared = 0

    def counted() -> Iterator[Row]:
        nonlocal compared
        for caption, pictures in rows:
            compared += 1
            if len(on_sheet) < SHEET_ROWS:
                on_sheet.append([scaled_to_height(each, _SHEET_HEIGHT) for each in pictures])
            yield caption, pictures

    with whole_file(page) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.writelines(slider_page(names, counted()))
    write_image(sheet, contact_sheet(dict(zip(names, zip(*on_sheet))), height=_SHEET_HEIGHT))
    return compared


def _name_unmatched(name: str, folder: Path, stems: set[str]) -> None:
    if stems:
        more = f" and {len(stems) - 1} more" if len(stems) > 1 else ""
        print(f"note: {name}: no photo for {min(stems)}{more} in {folder}", file=sys.stderr)
