"""Moving pictures, frame by frame: no more than a few frames are in memory at once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image

from wbc_tf.files.metadata import to_srgb


class Frame(NamedTuple):
    """One frame: uint8 [H, W, 3] RGB in sRGB, and uint8 [H, W] alpha, None where all is opaque."""

    rgb: np.ndarray
    alpha: np.ndarray | None


@dataclass(frozen=True)
class Animation:
    """A moving picture.

    Attributes:
      frames: makes the frames anew at each call, in their order, each when it is asked for. All are
        of one size, and either all have an alpha or none.
      milliseconds: how long each frame is shown.
      loop: how often it plays, 0 for ever; None where a GIF does not say, which is once.
    """

    frames: Callable[[], Generator[Frame, None, None]]
    milliseconds: tuple[float, ...]
    loop: int | None

    def __len__(self) -> int:
        """How many frames there are."""
        return len(self.milliseconds)


def animation_of(
    opened: Image.Image, count: int, *, reopen: Callable[[], Image.Image]
) -> Animation:
    """An opened picture's frames.

    All of them are decoded once here, for their times and for whether any has transparency, so that
    a broken frame is found before any frame is used.

    Args:
      opened: the picture.
      count: of its frames, as Pillow counts them.
      reopen: opens the same picture again.

    Raises:
      Exception: whatever Pillow's decoders raise, here and while the frames are read.
    """
    milliseconds = []
    opaque = True
    for picture in _pictures(opened, count):
        milliseconds.append(float(opened.info.get("duration", 0)))
        opaque = opaque and picture.getchannel("A").getextrema() == (255, 255)

    def frames() -> Generator[Frame, None, None]:
        with reopen() as again:
            for picture in _pictures(again, count):
                srgb, _, _ = to_srgb(picture)
                alpha = None if opaque else np.array(picture.getchannel("A"))
                yield Frame(np.array(srgb), alpha)

    loop = opened.info.get("loop", None if opened.format == "GIF" else 0)
    return Animation(frames, tuple(milliseconds), loop)


def _pictures(opened: Image.Image, count: int) -> Iterator[Image.Image]:
    """The frames in mode RGBA, with the colour profile that the file states."""
    size = opened.size
    # An APNG may begin with a picture for viewers that know no APNG, which is no frame.
    for index in range(1 if opened.info.get("default_image") else 0, count):
        opened.seek(index)
        if opened.size != size:  # Pillow would enlarge a GIF for it
            raise ValueError(f"frame {index} reaches beyond the picture")
        opened.load()
        picture = opened.convert("RGBA")
        picture.info["icc_profile"] = opened.info.get("icc_profile")
        yield picture


def changed_part(earlier: np.ndarray | None, picture: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns in which a frame differs from the one before it, one pixel at least.

    Args:
      earlier: [H, W, C]; None where there is none, and everything counts as changed.
      picture: [H, W, C].
    """
    if earlier is None:
        return slice(0, picture.shape[0]), slice(0, picture.shape[1])
    differs = (earlier != picture).any(axis=-1)
    rows, columns = (np.flatnonzero(differs.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return slice(0, 1), slice(0, 1)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


class FrameSequence(Image.Image):
    """Pictures as one moving picture of Pillow's, each made when the encoder seeks it.

    A list of pictures, which Pillow takes as well, would hold all of them in memory.

    Args:
      pictures: of one size, in their order.
      count: how many they are.
    """

    def __init__(self, pictures: Iterator[Image.Image], count: int) -> None:
        super().__init__()
        self.n_frames = count
        self._pictures = pictures
        self._at = -1
        self.seek(0)

    def tell(self) -> int:
        """Which frame is shown."""
        return self._at

    def seek(self, frame: int) -> None:
        """Shows a frame; later ones are made, and earlier ones are gone: the last one stays."""
        while self._at < frame:
            try:
                picture = next(self._pictures)
            except StopIteration:
                raise EOFError("no more frames") from None
            self._at += 1
            self.im = picture.im
            self._mode, self._size = picture.mode, picture.size
            self.info = dict(picture.info)
