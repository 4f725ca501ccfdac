"""What a video stays true to, whatever is drawn in its pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from wbc_tf.video.colour import Colour
from wbc_tf.video.orientation import Orientation


@dataclass(frozen=True)
class Picture:
    """One frame.

    Attributes:
      rgb: uint8 [H, W, 3], as people see it.
      time: when it is shown, in the clip's time base.
      duration: for how long, likewise; 0 where nobody knows.
    """

    rgb: np.ndarray
    time: int
    duration: int = 0


@dataclass(frozen=True)
class Form:
    """All but pixels, sound and subtitles.

    Attributes:
      time_base: seconds that a tick of time lasts.
      rate: frames per second, where it has one.
      steady: it has one.
      colour: what the stream says.
      pixel_shape: width of a stored pixel over its height.
      matrix: FFmpeg's display matrix, or None: how players are to turn the stored picture.
      metadata: of the file.
      stream_metadata: of the picture's stream.
      chapters: as PyAV has them.
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
        """How the pictures that people see follow from the stored ones."""
        return Orientation.from_matrix(self.matrix)
