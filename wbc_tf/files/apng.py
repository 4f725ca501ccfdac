"""Animated PNG, written frame by frame.

Pillow's writer goes through all frames twice and keeps them all in memory. Each frame is encoded by
Pillow here; what is added are the chunks that make frames of pictures (Portable Network Graphics
Specification, Third Edition, section 11.3.6).
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from PIL import Image

from wbc_tf.files.animation import changed_part

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encode_apng(
    pictures: Iterable[np.ndarray],
    milliseconds: tuple[float, ...],
    *,
    loop: int = 0,
    options: dict[str, Any] | None = None,
) -> bytes:
    """The content of an animated PNG file.

    Of each frame but the first only the rectangle is stored in which it differs from the one before
    it.

    Args:
      pictures: uint8 [H, W, 3] RGB or all [H, W, 4] RGBA, of one size.
      milliseconds: how long each is shown; 65,535 seconds at most.
      loop: how often they play, 0 for ever.
      options: for Pillow's ``save`` of the first frame, such as metadata.
    """
    content = io.BytesIO()
    content.write(_SIGNATURE)
    numbers = iter(range(2**31))  # frames and their data share one count
    earlier: np.ndarray | None = None
    for picture, duration in zip(pictures, milliseconds):
        rows, columns = changed_part(earlier, picture)
        control = _control(next(numbers), rows, columns, duration)
        part = np.ascontiguousarray(picture[rows, columns])
        chunks = _chunks(part, (options or {}) if earlier is None else {})
        if earlier is None:
            _write_first(content, chunks, control, len(milliseconds), loop)
        else:
            _write(content, b"fcTL", control)
            for kind, data in chunks:
                if kind == b"IDAT":
                    _write(content, b"fdAT", struct.pack(">I", next(numbers)) + data)
        earlier = picture
    _write(content, b"IEND", b"")
    return content.getvalue()


def _write_first(
    content: io.BytesIO,
    chunks: Iterator[tuple[bytes, bytes]],
    control: bytes,
    count: int,
    loop: int,
) -> None:
    """The first frame is also the picture for viewers that know no animation."""
    controlled = False
    for kind, data in chunks:
        if kind == b"IDAT" and not controlled:
            _write(content, b"acTL", struct.pack(">II", count, loop))
            _write(content, b"fcTL", control)
            controlled = True
        if kind != b"IEND":
            _write(content, kind, data)


def _control(number: int, rows: slice, columns: slice, milliseconds: float) -> bytes:
    delay = Fraction(milliseconds / 1000).limit_denominator(65535)
    if delay.numerator > 65535:
        raise ValueError(f"a frame of {milliseconds / 1000:g} seconds is too long for a PNG file")
    size = (columns.stop - columns.start, rows.stop - rows.start)
    place = (columns.start, rows.start)
    # The last two bytes: leave the frame as it is, and replace the pixels, alpha included.
    return struct.pack(">5I2H2B", number, *size, *place, delay.numerator, delay.denominator, 0, 0)


def _chunks(picture: np.ndarray, options: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    """(kind, data) of each chunk of a picture as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG", **options)
    file.seek(len(_SIGNATURE))
    while head := file.read(8):
        length, kind = struct.unpack(">I4s", head)
        yield kind, file.read(length)
        file.read(4)  # the checksum


def _write(content: io.BytesIO, kind: bytes, data: bytes) -> None:
    content.write(struct.pack(">I", len(data)) + kind + data)
    content.write(struct.pack(">I", zlib.crc32(kind + data)))
