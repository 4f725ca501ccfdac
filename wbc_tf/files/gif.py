"""GIF animations, written frame by frame.

Pillow's writer takes opaque pixels of the colour that stands for transparent ones for transparent,
breaks the file where a frame has no opaque pixel, and keeps all frames in memory (seen in 12.3).
Here Pillow encodes each frame as a picture of its own; what is added are the blocks that make
frames of pictures (GIF89a specification, sections 18 to 27).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image

from wbc_tf.files.animation import Frame, changed_part

_EXTENSION, _IMAGE, _CONTROL = 0x21, 0x2C, 0xF9
_KEEP, _CLEAR = 1, 2  # what becomes of a frame before the next one is drawn
_LONGEST = 65535  # in hundredths of a second


def encode_gif(
    frames: Iterable[Frame], milliseconds: tuple[float, ...], *, loop: int | None
) -> bytes:
    """The content of a moving GIF file.

    Times are rounded to hundredths of a second, so that their sum stays right.

    Args:
      frames: of one size; all with alpha or all without.
      milliseconds: how long each is shown.
      loop: how often they play, 0 for ever; None says nothing, which is once.

    Raises:
      ValueError: a frame is shown for more than 655 seconds.
    """
    content = io.BytesIO()
    earlier: np.ndarray | None = None
    shown = 0.0
    for (rgb, alpha), duration in zip(frames, milliseconds):
        delay = round((shown + duration) / 10) - round(shown / 10)
        shown += duration
        if delay > _LONGEST:
            raise ValueError(f"a frame of {duration / 1000:g} seconds is too long for a GIF file")
        # Of opaque frames only what has changed; a gap would show the frame before it.
        rows, columns = changed_part(earlier if alpha is None else None, rgb)
        part = alpha if alpha is None else alpha[rows, columns]
        picture = _encoded(palette_picture(rgb[rows, columns], part))
        if earlier is None:
            content.write(b"GIF89a" + struct.pack("<2H3B", rgb.shape[1], rgb.shape[0], 0x70, 0, 0))
            if loop is not None:
                content.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", loop, 0))
        disposal = _KEEP if alpha is None else _CLEAR
        clear = picture.transparent
        flags = disposal << 2 | (clear is not None)
        content.write(struct.pack("<4BH2B", _EXTENSION, _CONTROL, 4, flags, delay, clear or 0, 0))
        place = (columns.start, rows.start)
        size = (columns.stop - columns.start, rows.stop - rows.start)
        table = 0x80 | picture.table_size
        content.write(struct.pack("<B4HB", _IMAGE, *place, *size, table))
        content.write(picture.table + picture.data)
        earlier = rgb
    content.write(b";")
    return content.getvalue()


class _Encoded(NamedTuple):
    """A picture of a GIF file: its palette, the index that is transparent, and its pixels."""

    table: bytes
    table_size: int
    transparent: int | None
    data: bytes


def _encoded(picture: Image.Image) -> _Encoded:
    file = io.BytesIO()
    # Where there is transparency, each frame must name its colour, used or not: Pillow clears a
    # frame that names none to an opaque colour. Optimizing would drop a colour that is not used.
    picture.save(file, format="GIF", interlace=0, optimize="transparency" not in picture.info)
    file.seek(10)
    (flags,) = file.read(1)
    file.seek(13)
    table = file.read(3 << (flags & 7) + 1)
    transparent = None
    while file.read(1)[0] == _EXTENSION:
        (label,) = file.read(1)
        while length := file.read(1)[0]:
            block = file.read(length)
            if label == _CONTROL and block[0] & 1:
                transparent = block[3]
    file.seek(9, io.SEEK_CUR)  # its place and size
    return _Encoded(table, flags & 7, transparent, file.read()[:-1])


def palette_picture(rgb: np.ndarray, alpha: np.ndarray | None) -> Image.Image:
    """A picture of 256 colours; where there is alpha, the last one is transparent.

    Args:
      rgb: uint8 [H, W, 3].
      alpha: uint8 [H, W]; transparent below 128.
    """
    # Flat colours are what a palette is good at: dithering would only put noise on them.
    colours = 256 if alpha is None else 255
    picture = Image.fromarray(rgb).quantize(colours, dither=Image.Dither.NONE)
    if alpha is not None:
        palette = (picture.getpalette() or [])[: 3 * 255]
        picture.putpalette(palette + [0] * (3 * 256 - len(palette)))
        gaps = Image.fromarray(np.where(alpha < 128, 255, 0).astype(np.uint8))
        picture.paste(255, (0, 0), gaps)
        picture.info["transparency"] = 255
    return picture
