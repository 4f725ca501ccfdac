"""A folder of pictures to be measured: read one at a time, the broken ones named once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from wbc_tf.files import PathLike
from wbc_tf.files.find import find_images
from wbc_tf.files.pictures import ImageReadError, read_rgb

#: Pictures in memory at once; some networks are quicker on several. It changes no figure.
BATCH_SIZE = 8

#: From uint8 [H, W, 3] RGB pictures of any sizes to a row of numbers each, [N, D].
Extractor = Callable[[Sequence[np.ndarray]], np.ndarray]


class NoPicturesError(ValueError):
    """A folder without a picture to measure; the message names it."""


class PictureFolder:
    """The pictures of a folder and its subfolders, by name: their place in it without extension.

    A picture that has several names there, by links, counts once, under the first of them: a metric
    over copies would say that the pictures are more alike than they are.

    Args:
      folder: where they lie.
      label: what they are, for people: "generated".

    Raises:
      NotADirectoryError: no such folder.
      NoPicturesError: none in it.
    """

    def __init__(self, folder: PathLike, *, label: str) -> None:
        self.label = label
        self.folder = Path(folder)
        found = list(find_images(self.folder))
        named: dict[tuple[int, int] | Path, Path] = {}
        for file in found:
            named.setdefault(_identity(file), file)
        self.files = list(named.values())
        if len(found) > len(self.files):
            links = len(found) - len(self.files)
            tqdm.write(
                f"{folder}: {links} links to pictures that are there already, left out",
                file=sys.stderr,
            )
        if not self.files:
            raise NoPicturesError(f"{folder}: no pictures in it")
        #: (width, height) of each that was read.
        self.sizes: dict[Path, tuple[int, int]] = {}
        #: The reasons of those that could not be.
        self.broken: dict[Path, str] = {}

    def name_of(self, file: Path) -> str:
        """What pairs a file with its counterpart in another folder."""
        return file.relative_to(self.folder).with_suffix("").as_posix()

    def by_name(self) -> dict[str, list[Path]]:
        """Name -> its files, the broken ones left out; more than one is more than can be paired."""
        named: dict[str, list[Path]] = {}
        for file in self.files:
            if file not in self.broken:
                named.setdefault(self.name_of(file), []).append(file)
        return named

    def read(self, file: Path) -> np.ndarray | None:
        """uint8 [H, W, 3]; None for a broken picture, which is named on stderr the first time."""
        if file in self.broken:
            return None
        try:
            picture = read_rgb(file)
        except ImageReadError as error:
            self.broken[file] = str(error)
            tqdm.write(f"failed: {error}", file=sys.stderr)
            return None
        self.sizes[file] = (picture.shape[1], picture.shape[0])
        return picture

    def __iter__(self) -> Iterator[np.ndarray]:
        """All that can be read, in order."""
        for file in tqdm(self.files, desc=self.label, unit="img", disable=None):
            picture = self.read(file)
            if picture is not None:
                yield picture

    def summary(self) -> dict[str, Any]:
        """Folder, count and sizes of what was read, for the record."""
        by_area = sorted(self.sizes.values(), key=lambda size: (size[0] * size[1], size))
        return {
            "folder": str(self.folder),
            "count": len(self.files) - len(self.broken),
            "broken": len(self.broken),
            "smallest": by_area[0] if by_area else None,
            "largest": by_area[-1] if by_area else None,
        }


def _identity(file: Path) -> tuple[int, int] | Path:
    """The same for all names of one file; the name itself where nothing is behind it."""
    try:
        status = os.stat(file)
    except OSError:
        return file
    # Some file systems of Windows number no files.
    return (status.st_dev, status.st_ino) if status.st_ino else file


def extract_rows(
    pictures: PictureFolder, extractors: Mapping[str, Extractor]
) -> dict[str, np.ndarray]:
    """What each extractor makes of a folder, in one reading of it: name -> [N, D].

    Raises:
      NoPicturesError: none of the folder's pictures can be read.
    """
    rows: dict[str, list[np.ndarray]] = {name: [] for name in extractors}

    def take(batch: Sequence[np.ndarray]) -> None:
        for name, extract in extractors.items():
            rows[name].append(extract(batch))

    batch: list[np.ndarray] = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == BATCH_SIZE:
            take(batch)
            batch = []
    if batch:
        take(batch)
    if not pictures.sizes:
        raise NoPicturesError(f"{pictures.folder}: none of its pictures can be read")
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def paired(
    photos: PictureFolder, generated: PictureFolder
) -> tuple[list[tuple[Path, Path]], list[str]]:
    """The pictures of two folders by their names: (photo, generated) files, and who stays alone.

    The second is a phrase for each name that is in one folder only or there more than once. Broken
    pictures, as far as they are known, have been named before and count as not there.
    """
    ours, theirs = photos.by_name(), generated.by_name()
    pairs, alone = [], []
    for name in sorted(ours.keys() | theirs.keys()):
        counts = {photos: len(ours.get(name, ())), generated: len(theirs.get(name, ()))}
        if all(count == 1 for count in counts.values()):
            pairs.append((ours[name][0], theirs[name][0]))
            continue
        alone += [
            f"{name}: {'not' if count == 0 else f'{count} times'} in {folder.folder}"
            for folder, count in counts.items()
            if count != 1
        ]
    return pairs, alone
