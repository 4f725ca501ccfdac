"""A video in memory: its frames, how players turn them, and the properties a result must keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, cast

import numpy as np
from av import VideoFrame
from av.buffer import Buffer

from wbc_tf.video.colour import Colour


@dataclass(frozen=True)
class Picture:
    """One frame.

    Attributes:
      rgb: uint8 [H, W, 3], turned as players show it.
      time: when it is shown, in ticks of the video's time base.
      duration: how long it is shown, in the same ticks; 0 if unknown.
    """

    rgb: np.ndarray
    time: int
    duration: int = 0


@dataclass(frozen=True)
class Orientation:
    """How a player turns the stored picture: quarter turns and mirror images, as phones write them.

    First rows and columns are exchanged, then each axis may be reversed.

    Attributes:
      swapped: rows and columns are exchanged.
      mirrored: then the columns run from right to left.
      flipped: then the rows run from bottom to top.
    """

    swapped: bool = False
    mirrored: bool = False
    flipped: bool = False

    @classmethod
    def from_matrix(cls, matrix: Sequence[int] | None) -> Orientation:
        """Reads FFmpeg's display matrix.

        Args:
          matrix: nine numbers, row by row. A pixel (x, y) is shown at (a x + c y, b x + d y), with
            a, b the first two numbers of the first row and c, d those of the second. None, or a
            matrix that is not a quarter turn, means: shown as stored.
        """
        if matrix is None:
            return UPRIGHT
        a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
        if a and d and not b and not c:
            return cls(False, a < 0, d < 0)
        if b and c and not a and not d:
            return cls(True, c < 0, b < 0)
        return UPRIGHT

    def shown(self, stored: np.ndarray) -> np.ndarray:
        """The picture as players show it: [H, W, C], or [W, H, C] after a quarter turn."""
        picture = stored.swapaxes(0, 1) if self.swapped else stored
        return np.ascontiguousarray(picture[self._steps])

    def stored(self, shown: np.ndarray) -> np.ndarray:
        """The inverse of `shown`."""
        picture = shown[self._steps]
        return np.ascontiguousarray(picture.swapaxes(0, 1) if self.swapped else picture)

    @property
    def _steps(self) -> tuple[slice, slice]:
        return slice(None, None, -1 if self.flipped else 1), slice(
            None, None, -1 if self.mirrored else 1
        )


UPRIGHT = Orientation()


def display_matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    """The display matrix of a decoded frame: nine numbers, or None."""
    data = cast("Buffer | None", frame.side_data.get("DISPLAYMATRIX"))
    return None if data is None else tuple(map(int, np.frombuffer(bytes(data), np.int32)))


@dataclass(frozen=True)
class VideoProperties:
    """What a video says of itself, without pixels, sound and subtitles.

    Attributes:
      time_base: length of a tick in seconds.
      rate: frames per second, on average.
      steady: all frames are equally long.
      colour: the stream's colour tags.
      pixel_shape: width of a stored pixel over its height.
      matrix: FFmpeg's display matrix, which tells players how to turn the picture; or None.
      metadata: the file's tags.
      stream_metadata: the video stream's tags.
      chapters: as PyAV gives them.
    """

    time_base: Fraction
    rate: Fraction
    steady: bool = True
    colour: Colour = field(default_factory=Colour)
    pixel_shape: Fraction = Fraction(1)
    matrix: tuple[int, ...] | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    stream_metadata: dict[str, str] = field(default_factory=dict)
    chapters: tuple[Any, ...] = ()

    @property
    def orientation(self) -> Orientation:
        """How players turn the stored pictures."""
        return Orientation.from_matrix(self.matrix)
