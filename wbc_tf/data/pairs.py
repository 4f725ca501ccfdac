"""Pairs of photo and drawing for supervised training: drawn once, cut alike.

A filter that needs seconds for a photo is too slow for each crop, and near a crop's border it would
see less than the network sees. So each photo is drawn whole, at a few scales, and kept in a folder
outside the tree. Crops are pure functions of (seed, name, position), as in `wbc_tf.data.crops`.
"""

from __future__ import annotations

import hashlib
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from absl import logging

from wbc_tf.data.pictures import ImageFolderError, PictureCache
from wbc_tf.files import PathLike
from wbc_tf.files.find import find_images
from wbc_tf.files.pictures import ImageReadError, read_rgb
from wbc_tf.files.whole import write_whole
from wbc_tf.images import to_float, to_uint8
from wbc_tf.ops.drawing import DrawingStyle, draw


class Pair(NamedTuple):
    """Files of a photo at one scale and of its drawing, both of the same size."""

    photo: Path
    drawn: Path


class DrawnPairs:
    """Crops of photos, and of their drawings at the same places.

    `photo` and `drawn` are sources for `wbc_tf.data.streams.Source`: at one position they show the
    same part of one scene. Only the photo's colours vary at random.

    Args:
      folder: of photos, subfolders included. Files that cannot be read are named and left out.
      cache: folder of the pairs; what it lacks is drawn first.
      style: of the drawings.
      short_sides: least and largest short side at which a photo is drawn, in pixels; smaller photos
        are not enlarged.
      scales: at how many sizes each photo is drawn.
      jitter: how far brightness, contrast and the colour channels of the photo vary, 0 to 1.
      patch_size: side of the crops, in pixels.
      seed: of the run.
      name: of the stream; streams of other names have another order and other crops.

    Raises:
      ImageFolderError: the folder is not there, or holds no photo that can be read.
    """

    def __init__(
        self,
        folder: PathLike,
        *,
        cache: PathLike,
        style: DrawingStyle,
        short_sides: tuple[int, int],
        scales: int,
        jitter: float,
        patch_size: int,
        seed: int,
        name: str,
    ) -> None:
        self.pairs = draw_folder(
            folder,
            cache=cache,
            style=style,
            short_sides=short_sides,
            scales=scales,
            least_side=patch_size,
        )
        self.patch_size = patch_size
        self.jitter = jitter
        self._key = (seed, zlib.crc32(name.encode()))
        self._pictures = PictureCache()
        self._order = lru_cache(maxsize=2)(self._new_order)
        self.photo = _Half(self, drawn=False)
        self.drawn = _Half(self, drawn=True)

    def crop(self, position: int, *, drawn: bool) -> np.ndarray:
        """The photo's or the drawing's crop; float32 [patch_size, patch_size, 3] in [-1, 1]."""
        epoch, place = divmod(position, len(self.pairs))
        pair = self.pairs[self._order(epoch)[place]]
        picture = self._pictures.read(pair.drawn if drawn else pair.photo)
        if picture is None:
            raise ImageFolderError(f"{pair.photo.parent}: a pair is damaged; remove {pair}")
        random = np.random.default_rng((*self._key, 1, position))
        size = self.patch_size
        top = random.integers(picture.shape[0] - size + 1)
        left = random.integers(picture.shape[1] - size + 1)
        crop = to_float(picture[top : top + size, left : left + size])
        if random.random() < 0.5:
            crop = crop[:, ::-1]
        return crop if drawn else vary_colours(crop, self.jitter, random)

    def _new_order(self, epoch: int) -> np.ndarray:
        return np.random.default_rng((*self._key, 0, epoch)).permutation(len(self.pairs))


class _Half:
    def __init__(self, pairs: DrawnPairs, *, drawn: bool) -> None:
        self.crop = partial(pairs.crop, drawn=drawn)


def vary_colours(photo: np.ndarray, amount: float, random: np.random.Generator) -> np.ndarray:
    """Another exposure, contrast and white balance; float32 [H, W, 3] in [-1, 1]."""
    exposure, contrast = random.uniform(-amount, amount, 2)
    balance = random.uniform(-amount, amount, 3) / 2
    varied = photo * (1 + contrast) + exposure + (photo + 1) * balance
    return np.clip(varied, -1, 1).astype(np.float32)


def draw_folder(
    folder: PathLike,
    *,
    cache: PathLike,
    style: DrawingStyle,
    short_sides: tuple[int, int],
    scales: int,
    least_side: int,
) -> list[Pair]:
    """Draws what the cache lacks; returns all pairs, in an order that the photos' names decide.

    A pair's name is a hash of the photo's bytes, the style and the size, so that another style or
    an edited photo never meets an old drawing. Photos below `least_side` are left out.

    Raises:
      ImageFolderError: the folder is not there, or holds no photo that can be read.
    """
    if not Path(folder).is_dir():
        raise ImageFolderError(f"{folder}: there is no such folder (for photos to draw)")
    Path(cache).mkdir(parents=True, exist_ok=True)
    make = partial(
        _pairs_of,
        cache=Path(cache),
        style=style,
        short_sides=short_sides,
        scales=scales,
        least_side=least_side,
    )
    with ThreadPoolExecutor(max_workers=2) as pool:
        pairs = [pair for each in pool.map(make, find_images(folder)) for pair in each]
    if not pairs:
        raise ImageFolderError(
            f"{folder}: no photo there can be read and has a short side of {least_side} or more"
        )
    return pairs


def _pairs_of(
    path: Path,
    *,
    cache: Path,
    style: DrawingStyle,
    short_sides: tuple[int, int],
    scales: int,
    least_side: int,
) -> list[Pair]:
    try:
        photo = read_rgb(path)
        digest = hashlib.sha256(path.read_bytes()).digest()
    except (ImageReadError, OSError) as error:
        logging.warning("left out: %s", error)
        return []
    pairs = {}
    for side in _sides(digest, short_sides, scales):
        side = min(side, *photo.shape[:2])
        if side < least_side:
            logging.warning("left out: %s: its short side is below %d", path, least_side)
            break
        key = hashlib.sha256(digest + repr((side, sorted(asdict(style).items()))).encode())
        stem = key.hexdigest()[:24]
        pair = Pair(cache / f"{stem}_photo.png", cache / f"{stem}_drawn.png")
        if not pair.drawn.exists():  # it is written last
            scaled = _scaled(photo, side)
            drawn = to_uint8(draw(to_float(scaled)[None], style)[0])
            write_whole(pair.photo, _png(scaled))
            write_whole(pair.drawn, _png(drawn))
            logging.info("drawn: %s at %d", path, side)
        pairs[pair.photo] = pair
    return list(pairs.values())


def _sides(digest: bytes, short_sides: tuple[int, int], scales: int) -> list[int]:
    """Sizes spread evenly on a logarithmic scale, from a start of the photo's own."""
    start = int.from_bytes(digest[:4], "big") / 2**32
    least, most = short_sides
    places = (start + np.arange(scales)) / scales
    return [round(least * (most / least) ** float(place % 1)) for place in places]


def _scaled(photo: np.ndarray, short_side: int) -> np.ndarray:
    height, width = photo.shape[:2]
    factor = short_side / min(height, width)
    size = (max(round(width * factor), short_side), max(round(height * factor), short_side))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def _png(picture: np.ndarray) -> bytes:
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as PNG")
    return data.tobytes()
