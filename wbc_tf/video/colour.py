"""A video's colours: from YUV to RGB and back, by the matrix and range that the video states.

Nothing here is left to FFmpeg's defaults. They take BT.601 for every video that states no matrix,
which shifts the reds and greens of high definition. A range that is read wrong makes the picture
pale or cuts off its darkest and brightest levels.
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

from wbc_tf.video.formats import pyav_version

# Matrices as ITU-T H.273 numbers them, and those of them that swscale knows.
_RGB, _BT709, _UNSTATED, _BT601 = 0, 1, 2, 5
_KNOWN = (_BT709, 4, _BT601, 6, 7, 9)
_LIMITED, _FULL = int(ColorRange.MPEG), int(ColorRange.JPEG)
# The first PyAV that converts transfer curves. Older ones only change the tag.
_TONE_MAPS = (18, 0)
_HDR = {int(ColorTrc.SMPTE2084): "PQ", int(ColorTrc.ARIB_STD_B67): "HLG"}

# Swscale's faster settings are wrong by up to three levels for a flat known colour, these by one:
# bicubic, full chroma out and in, accurate, bit exact. Only PyAV 18 and newer name all of them.
_EXACT = 0x4 | 0x2000 | 0x4000 | 0x40000 | 0x80000


class ColourError(ValueError):
    """Colours that we cannot convert correctly; the message says which."""


@dataclass(frozen=True)
class Colour:
    """A stream's colour tags, as ITU-T H.273 numbers them.

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


class FrameToRgb:
    """Turns a video's frames into RGB.

    Attributes:
      colour: the colour tags for the result: the video's own, or BT.709 for HDR.
      notes: what is lost, each a phrase for people.
    """

    def __init__(self, first: VideoFrame) -> None:
        """Reads the colour tags and pixel format of the video's first frame.

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
        # As in FFmpeg: grey and JPEG formats have full range unless they state otherwise.
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
        # Set on the frame: not every PyAV accepts every matrix as an argument.
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


class RgbToFrame:
    """Turns RGB into the frames that an encoder takes.

    Attributes:
      colour: the colour tags of these frames.
    """

    def __init__(self, colour: Colour, *, pixel_format: str, height: int, width: int) -> None:
        """Prepares the conversion.

        Args:
          colour: wanted colour tags. An RGB matrix is replaced by a YUV matrix where
            `pixel_format` is YUV, and the other way round.
          pixel_format: FFmpeg's name of a format with 8 bits a channel.
          height: of the frames, in pixels; RGB of another size is scaled to it.
          width: of the frames, in pixels.
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
        # RGB has no matrix: the one set here is the matrix of the YUV that comes out.
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
    """The matrix that players assume for a video that states none."""
    return _BT709 if width >= 1280 or height > 576 else _BT601


def _resolved(matrix: int, *, height: int, width: int) -> int:
    return _guess(height=height, width=width) if matrix == _UNSTATED else matrix
