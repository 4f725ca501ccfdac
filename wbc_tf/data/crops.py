"""Random crops from a folder of pictures, each a pure function of (seed, name, position).

There is no state: no shuffle buffer, no generator that moves on. So a resumed run goes on with the
very crops an unbroken one would see, and its data position is nothing but the step.
"""

from __future__ import annotations

import zlib
from collections import Counter
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from wbc_tf.data.pictures import ImageFolderError, PictureCache
from wbc_tf.files import PathLike
from wbc_tf.files.find import EXTENSIONS, find_images
from wbc_tf.images import to_float

# In grey levels: sky and paper stay under it, and teach nothing but their own colour.
BLANK_DEVIATION = 8.0
_TRIES = 8


class CropSampler:
    """Crops from all pictures of a folder, subfolders included.

    Each picture comes once in an epoch, in an order of its own; picture and crop follow from the
    position alone. Files that cannot be read are named once, and the next one takes their place.

    Args:
      folder: with at least `at_least` pictures that can be read.
      patch_size: side of the crops, in pixels.
      sides: least and largest side of what a crop shows, in parts of the picture's short side; None
        takes the whole picture, scaled to a square without keeping its aspect ratio.
      seed: of the run.
      name: of the stream; streams of other names have another order and other crops.
      flip: mirror every second crop, by chance.
      at_least: fewer readable pictures than this are an error (the batch size: less is too few to
        learn from). So many are decoded at the start; what is broken beyond them shows later.
      cache: of decoded pictures; give several samplers the same one and they share its memory. By
        default the sampler has its own.

    Raises:
      ImageFolderError: the folder is not there, or holds too few pictures that can be read.
    """

    def __init__(
        self,
        folder: PathLike,
        *,
        patch_size: int,
        sides: tuple[float, float] | None,
        seed: int,
        name: str,
        flip: bool = True,
        at_least: int = 1,
        cache: PictureCache | None = None,
    ) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise ImageFolderError(f"{folder}: there is no such folder (for {name} pictures)")
        self.paths = list(find_images(self.folder))
        self.patch_size = patch_size
        self.sides = sides
        self.flip = flip
        self._key = (seed, zlib.crc32(name.encode()))
        self._read = (cache or PictureCache()).read
        # Two epochs are in hand at once where one ends.
        self._order = lru_cache(maxsize=2)(self._new_order)
        readable = broken = 0
        for path in self.paths:
            if readable == at_least:
                break
            if self._read(path) is None:
                broken += 1
            else:
                readable += 1
        if readable < at_least:
            raise ImageFolderError(self._too_few(readable, broken, at_least, name))

    def crop(self, position: int) -> np.ndarray:
        """The crop at a position, 0 or more; float32 [patch_size, patch_size, 3] in [-1, 1].

        Raises:
          ImageFolderError: since the start, the last readable picture has gone; or the disk fails.
        """
        epoch, place = divmod(position, len(self.paths))
        order = self._order(epoch)
        random = np.random.default_rng((*self._key, 1, position))
        for step in range(len(order)):
            picture = self._read(self.paths[order[(place + step) % len(order)]])
            if picture is not None:
                crop = _random_crop(picture, self.patch_size, self.sides, self.flip, random)
                return to_float(crop)
        raise ImageFolderError(f"{self.folder}: no picture there can be read any more")

    def _too_few(self, readable: int, broken: int, at_least: int, name: str) -> str:
        if self.paths and readable == 0:
            return (
                f"{self.folder}: none of its {len(self.paths)} {name} pictures can be read; each "
                "is named above"
            )
        found = f"{self.folder}: {readable} {name} pictures"
        if broken:
            found += f" (and {broken} that cannot be read, named above)"
        others = Counter(
            path.suffix.lower() or "no extension"
            for path in self.folder.rglob("[!.]*")
            if path.is_file() and path.suffix.lower() not in EXTENSIONS
        )
        # A folder of videos or of a paint program's files looks full to the one who named it.
        ignored = ", ".join(f"{count} {kind}" for kind, count in others.most_common(4))
        hint = f" Passed over: {ignored}; we read {' '.join(EXTENSIONS)}." if ignored else ""
        return (
            f"{found}, but at least {at_least} are needed; add some, or choose a smaller "
            f"batch.{hint}"
        )

    def _new_order(self, epoch: int) -> np.ndarray:
        return np.random.default_rng((*self._key, 0, epoch)).permutation(len(self.paths))


def _random_crop(
    picture: np.ndarray,
    size: int,
    sides: tuple[float, float] | None,
    flip: bool,
    random: np.random.Generator,
) -> np.ndarray:
    """A square of random size and place, scaled to `size`; never blank.

    Pictures are not enlarged unless they are smaller than the crop themselves. Where all
    crops are almost blank, the one with the most contrast is taken.
    """
    if sides is None:
        return _scaled(picture, size, flip, random)
    best, best_deviation = picture, -1.0
    for _ in range(_TRIES):
        crop = _scaled(_one_square(picture, size, sides, random), size, flip, random)
        deviation = float(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).std())
        if deviation > best_deviation:
            best, best_deviation = crop, deviation
        if deviation >= BLANK_DEVIATION:
            break
    return best


def _one_square(
    picture: np.ndarray, size: int, sides: tuple[float, float], random: np.random.Generator
) -> np.ndarray:
    height, width = picture.shape[:2]
    short = min(height, width)
    side = max(round(random.uniform(*sides) * short), min(size, short))
    top = random.integers(height - side + 1)
    left = random.integers(width - side + 1)
    return picture[top : top + side, left : left + side]


def _scaled(picture: np.ndarray, size: int, flip: bool, random: np.random.Generator) -> np.ndarray:
    """The picture as a square of `size`, mirrored half the time if `flip`."""
    if flip and random.random() < 0.5:
        picture = picture[:, ::-1]
    interpolation = cv2.INTER_AREA if min(picture.shape[:2]) > size else cv2.INTER_CUBIC
    return cv2.resize(picture, (size, size), interpolation=interpolation)
