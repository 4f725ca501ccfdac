"""Lays photos and what was made of them side by side: ``python -m wbc_tf.compare``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import flags
from PIL import Image
from tqdm import tqdm

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, run_command
from wbc_tf.comparison.contact_sheet import contact_sheet
from wbc_tf.comparison.slider_page import slider_page
from wbc_tf.files.find import find_images
from wbc_tf.files.pictures import ImageReadError, read_rgb, write_image
from wbc_tf.files.whole import write_whole
from wbc_tf.inference.jobs import InputError, refuse_unwritable

USAGE = """
Compare photos with what was made of them, on a contact sheet and on a page with sliders.

  python -m wbc_tf.compare --photos=photos mine=cartoons --output=comparison
  python -m wbc_tf.compare --photos=photos mine=cartoons theirs=others --output=comparison
  python -m wbc_tf.compare --photos=photos --model=white_box --model=models/authors --output=out

A column of the comparison is a folder under a name, whose pictures are called as the photos are but
for the extension, or a model, which then draws them. Writes comparison.html, one file that needs no
network, and contact_sheet.png.

Exit status: 0 all compared, 1 some photos left out (each is named with its reason), 2 the call made
no sense.
"""

_PHOTO = "photo"
# Nothing that is compared is cropped by more: the authors' program cuts seven pixels at most.
_PROPORTIONS_DIFFER = 0.1
# A panorama at full height would be wider than any screen.
_LONGEST = 4

#: Makes or finds a column's picture: from a photo's file and its pixels, both uint8 [H, W, 3].
Column = Callable[[Path, np.ndarray], np.ndarray]


class NotComparableError(ValueError):
    """A photo without a counterpart in a column; the message says why."""


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    flags.DEFINE_string("photos", None, "Folder of the photos.", flag_values=values)
    flags.DEFINE_multi_string(
        "column",
        [],
        "NAME=FOLDER, pictures to show beside the photos; repeatable, and --column= may be left "
        "out.",
        flag_values=values,
    )
    flags.DEFINE_multi_string(
        "model",
        [],
        "Model directory, or the name of one in pretrained_models/, to draw the photos with; "
        "repeatable.",
        flag_values=values,
    )
    flags.DEFINE_string("output", None, "Folder to write to.", flag_values=values)
    flags.DEFINE_integer(
        "height",
        640,
        "Of the page's pictures, in pixels; smaller ones stay as they are. Each takes some 190 KB "
        "at 640, and 80 KB at 360.",
        lower_bound=16,
        flag_values=values,
    )
    return values


def main(values: flags.FlagValues) -> int:
    """Compares as the flags say; returns the exit status."""
    if not values.photos or not values.output:
        raise UsageError("--photos and --output are needed")
    if not values.column and not values.model:
        raise UsageError("nothing to compare the photos with: give NAME=FOLDER or --model")
    photos, folders = Path(values.photos), _folders(values.column)
    output = Path(values.output)
    try:
        refuse_unwritable(output)
    except InputError as error:
        raise UsageError(str(error)) from error
    for folder in (photos, *folders.values()):
        if not folder.is_dir():
            raise UsageError(f"{folder}: there is no such folder")
        if folder.resolve() == output.resolve():
            raise UsageError(f"--output={output} holds pictures to compare; choose another folder")
    columns = {name: _in_folder(folder) for name, folder in folders.items()}
    columns.update(_models(values.model, taken={_PHOTO, *columns}))
    by_stem = _by_stem(photos)
    if not by_stem:
        raise UsageError(f"--photos={photos}: no pictures in it")

    rows: dict[str, list[np.ndarray]] = {}
    failed = 0
    for stem, files in tqdm(by_stem.items(), unit="img", disable=None):
        try:
            rows[stem] = _row(_only(files, stem, photos), columns, height=values.height)
        except (ImageReadError, NotComparableError) as error:
            failed += 1
            tqdm.write(f"left out: {error}", file=sys.stderr)
    for name, folder in folders.items():
        _tell_strangers(name, folder, set(by_stem))
    if not rows:
        print(f"nothing written: none of {failed} photos can be compared", file=sys.stderr)
        return FAILED

    pictures = dict(zip((_PHOTO, *columns), zip(*rows.values())))
    page, sheet = output / "comparison.html", output / "contact_sheet.png"
    try:
        output.mkdir(parents=True, exist_ok=True)
        write_whole(page, slider_page(pictures, list(rows)).encode("utf-8"))
        write_image(sheet, contact_sheet(pictures))
    except OSError as error:
        print(f"{output}: cannot write there ({error.strerror})", file=sys.stderr)
        return FAILED
    print(f"{len(rows)} compared, {failed} left out: {page} and {sheet}")
    return FAILED if failed else OK


def _folders(given: list[str]) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for argument in given:
        name, equals, folder = argument.partition("=")
        if not (name and equals and folder):
            raise UsageError(f"'{argument}' is not NAME=FOLDER")
        if name in (_PHOTO, *folders):
            raise UsageError(f"two columns would be called '{name}'")
        folders[name] = Path(folder)
    return folders


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in find_images(folder, recursive=False):
        found.setdefault(path.stem, []).append(path)
    return found


def _only(files: list[Path], stem: str, folder: Path) -> Path:
    if not files:
        raise NotComparableError(f"{stem}: no picture of this name in {folder}")
    if len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise NotComparableError(f"{stem}: which one is meant in {folder}? {names}")
    return files[0]


def _in_folder(folder: Path) -> Column:
    found = _by_stem(folder)
    return lambda photo, rgb: read_rgb(_only(found.get(photo.stem, []), photo.stem, folder))


def _models(given: list[str], *, taken: set[str]) -> dict[str, Column]:
    """The models as columns, by name."""
    if not given:
        return {}
    # TensorFlow takes seconds to import; two folders do without it.
    from wbc_tf.artefact.model_directory import ModelNotFoundError, find_model
    from wbc_tf.inference.cartoonizer import Cartoonizer

    try:
        versions = [find_model(model) for model in given]
        names = _names(versions)
        for name, count in (Counter(taken) + Counter(names)).items():
            if count > 1:
                raise UsageError(f"two columns would be called '{name}'")
        loaded = [Cartoonizer.load(version) for version in versions]
    except ModelNotFoundError as error:
        raise UsageError(str(error)) from error
    return dict(zip(names, map(_drawn_by, loaded)))


def _drawn_by(cartoonize: Callable[[np.ndarray], np.ndarray]) -> Column:
    return lambda photo, rgb: cartoonize(rgb)


def _names(versions: list[Path]) -> list[str]:
    """The models' names; where they do not tell them apart, as much of the paths as does."""
    from wbc_tf.artefact.model_directory import model_name

    names = [model_name(version) for version in versions]
    parts = [version.resolve().parts for version in versions]
    tail = 1
    while len(set(names)) < len(set(parts)):
        tail += 1
        names = ["/".join(part[-tail:]) for part in parts]
    return names


def _row(photo: Path, columns: dict[str, Column], *, height: int) -> list[np.ndarray]:
    """The photo and its counterparts, all of one size and none enlarged beyond the photo's."""
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


def _tell_strangers(name: str, folder: Path, photos: set[str]) -> None:
    strangers = [stem for stem in _by_stem(folder) if stem not in photos]
    if strangers:
        more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
        print(f"note: {name}: no photo for {strangers[0]}{more} in {folder}", file=sys.stderr)


def run() -> None:
    """Entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE, arguments="column"))


if __name__ == "__main__":
    run()
