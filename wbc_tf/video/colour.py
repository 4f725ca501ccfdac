"""A video's colours: from its YUV to RGB and back, by the matrix and range that it states.

Nothing here is left to defaults. FFmpeg's own take BT.601 for everything that does not say, which
turns high definition's reds and greens, and a range that is read wrong greys out or crushes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from av import VideoFormat, VideoFrame
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    ColorTrc,
    VideoReformatter,
)

from wbc_tf.video.pyav import pyav_version

# Matrices as ITU-T H.273 numbers them, and those of them that swscale knows.
_RGB, _BT709, _UNSTATED, _BT601 = 0, 1, 2, 5
_KNOWN = (_BT709, 4, _BT601, 6, 7, 9)
_LIMITED, _FULL = int(ColorRange.MPEG), int(ColorRange.JPEG)
# From then on PyAV converts transfer curves; before, it only says that it did.
_TONE_MAPS = (18, 0)
_HDR = {int(ColorTrc.SMPTE2084): "PQ", int(ColorTrc.ARIB_STD_B67): "HLG"}

# Swscale's faster ways are off by up to three levels for a flat known colour, these by one:
# bicubic, full chroma out and in, accurate, bit exact. PyAV names them all only from 18 on.
_EXACT = 0x4 | 0x2000 | 0x4000 | 0x40000 | 0x80000


class ColourError(ValueError):
    """Colours that would come out wrong; the message says which."""


@dataclass(frozen=True)
class Colour:
    """What a stream says of its colours, as ITU-T H.273 numbers it.

    Attributes:
      matrix: of YUV; 2 is unstated, 0 is RGB.
      range: 1 is limited (16 to 235), 2 full, 0 unstated.
      primaries: the red, green and blue meant; 2 is unstated.
      transfer: the curve from light to level; 2 is unstated.
    """

    matrix: int = _UNSTATED
    range: int = 0
    primaries: int = 2
    transfer: int = 2


_SDR = Colour(_BT709, _LIMITED, int(ColorPrimaries.BT709), int(ColorTrc.BT709))


class Reader:
    """Turns a clip's frames into RGB.

    Attributes:
      colour: what a result is to be stored as: the clip's own, BT.709 for HDR.
      notes: what is lost, each a phrase for people.
    """

    def __init__(self, first: VideoFrame) -> None:
        """Looks at the clip's first frame.

        Raises:
          ColourError: a matrix that we cannot read.
        """
        kind = first.format
        if not kind.is_rgb and first.colorspace not in (_UNSTATED, *_KNOWN):
            raise ColourError(
                f"its colours are coded in a way that is not supported (matrix {first.colorspace} "
                "of ITU-T H.273); convert it to BT.709 first"
            )
        self._size = {"height": first.height, "width": first.width}
        self._matrix = _RGB if kind.is_rgb else _resolved(first.colorspace, **self._size)
        # Greys and the JPEG kinds are full where they say nothing: so FFmpeg has it.
        full_by_kind = kind.is_rgb or kind.name.startswith(("yuvj", "gray", "ya"))
        unstated = first.color_range not in (_LIMITED, _FULL)
        self._range = first.color_range
        if kind.is_rgb or unstated:
            self._range = _FULL if full_by_kind else _LIMITED

        self.notes: list[str] = []
        depth = max(part.bits for part in kind.components)
        hdr = _HDR.get(first.color_trc)
        if hdr and pyav_version() < _TONE_MAPS:
            raise ColourError(
                f"high dynamic range ({hdr}) needs PyAV {_TONE_MAPS[0]}, on Python 3.11, or "
                "convert it to BT.709 first"
            )
        if hdr:
            self.notes.append(f"high dynamic range ({hdr}) brought to BT.709")
        elif depth > 8:
            self.notes.append(f"{depth} bits a channel kept as 8")
        if any(part.is_alpha for part in kind.components):
            self.notes.append("transparency is lost")
        self._hdr = hdr is not None
        stated = (first.colorspace, first.color_range, first.color_primaries, first.color_trc)
        self.colour = _SDR if hdr else Colour(*stated)
        if kind.is_rgb:
            self.colour = replace(self.colour, matrix=_RGB)
        self._reformatter = VideoReformatter()

    def rgb(self, frame: VideoFrame) -> np.ndarray:
        """uint8 [H, W, 3], in the first frame's size.

        Swscale brings HDR to BT.709: diffuse white (203 cd/m²) becomes white, and what is brighter
        is clipped to it.
        """
        # Told by the frame itself: not every PyAV knows every matrix as an argument.
        frame.colorspace, frame.color_range = self._matrix, self._range
        return self._reformatter.reformat(
            frame,
            format="rgb24",
            interpolation=_EXACT,
            dst_color_range=_FULL,
            dst_color_trc=ColorTrc.BT709 if self._hdr else None,
            dst_color_primaries=ColorPrimaries.BT709 if self._hdr else None,
            threads=1,
            **self._size,
        ).to_ndarray()


class Painter:
    """Turns RGB into the frames that an encoder takes.

    Attributes:
      colour: what their stream is to say.
    """

    def __init__(self, colour: Colour, *, pixel_format: str, height: int, width: int) -> None:
        """Takes what the frames are to be.

        Args:
          colour: as of `Reader`. Where its matrix or range is no YUV's, one that is takes its
            place; for an RGB `pixel_format` it is the other way round.
          pixel_format: FFmpeg's name of one with 8 bits a channel.
          height: of the frames; RGB of another size is scaled to it.
          width: the same.
        """
        self._format, self._size = pixel_format, {"height": height, "width": width}
        if VideoFormat(pixel_format).is_rgb:
            colour = replace(colour, matrix=_RGB, range=_FULL)
        elif colour.matrix == _RGB:
            colour = replace(colour, matrix=_guess(height=height, width=width), range=_LIMITED)
        self.colour = colour
        self._matrix = _resolved(colour.matrix, height=height, width=width)
        self._range = _FULL if colour.range == _FULL else _LIMITED
        self._reformatter = VideoReformatter()

    def frame(self, rgb: np.ndarray) -> VideoFrame:
        """A frame without a timestamp from uint8 [H, W, 3]."""
        frame = VideoFrame.from_ndarray(rgb, format="rgb24")
        # What the RGB is made into takes over the matrix it came with, where it means nothing.
        frame.colorspace, frame.color_range = self._matrix, _FULL
        return self._reformatter.reformat(
            frame,
            format=self._format,
            interpolation=_EXACT,
            dst_color_range=self._range,
            threads=1,
            **self._size,
        )


def _guess(*, height: int, width: int) -> int:
    """What players take a video for that does not say."""
    return _BT709 if width >= 1280 or height > 576 else _BT601


def _resolved(matrix: int, *, height: int, width: int) -> int:
    return _guess(height=height, width=width) if matrix == _UNSTATED else matrix
