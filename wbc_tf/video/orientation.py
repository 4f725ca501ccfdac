"""Videos that players are to turn: by quarter turns and mirror images, as phones write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from av import VideoFrame
from av.buffer import Buffer


@dataclass(frozen=True)
class Orientation:
    """How the picture that people see follows from the one that is stored.

    Rows and columns change places, then each may run the other way.

    Attributes:
      swapped: rows and columns change places.
      mirrored: the columns then run from right to left.
      flipped: the rows then run from bottom to top.
    """

    swapped: bool = False
    mirrored: bool = False
    flipped: bool = False

    @classmethod
    def from_matrix(cls, matrix: Sequence[int] | None) -> Orientation:
        """Reads FFmpeg's display matrix.

        Args:
          matrix: nine numbers, row by row. A pixel (x, y) is shown at (a x + c y, b x + d y), with
            a, b the first two numbers of the first row and c, d those of the second. None: as
            stored, and so is what is no quarter turn.
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
        """The picture as people see it: [H, W, C], or [W, H, C] where it is turned."""
        picture = stored.swapaxes(0, 1) if self.swapped else stored
        return np.ascontiguousarray(picture[self._steps])

    def stored(self, shown: np.ndarray) -> np.ndarray:
        """Undoes `shown`."""
        picture = shown[self._steps]
        return np.ascontiguousarray(picture.swapaxes(0, 1) if self.swapped else picture)

    @property
    def _steps(self) -> tuple[slice, slice]:
        return slice(None, None, -1 if self.flipped else 1), slice(
            None, None, -1 if self.mirrored else 1
        )


UPRIGHT = Orientation()


def display_matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    """The nine numbers that a decoded frame came with, or None."""
    data = cast("Buffer | None", frame.side_data.get("DISPLAYMATRIX"))
    return None if data is None else tuple(map(int, np.frombuffer(bytes(data), np.int32)))
