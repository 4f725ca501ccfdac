"""Which parts of a picture to compute one at a time, so that no border between them is visible.

Index arithmetic only. A tile is computed with a halo of neighbouring pixels around the part that is
kept. It begins on the network's own grid, and ends inside the picture on it too; where the picture
ends the tile ends, so that the border is padded exactly as that of the whole picture is.
"""

from __future__ import annotations

from dataclasses import dataclass


class TooLargeError(ValueError):
    """No tile fits: the overlap alone is more than the pixels allowed."""


@dataclass(frozen=True)
class Tile:
    """A part of a picture, as pairs of slices over rows and columns.

    Attributes:
      read: what is given to the network, within the picture.
      keep: what the result is right for, within the picture; all `keep` together cover it once.
    """

    read: tuple[slice, slice]
    keep: tuple[slice, slice]

    @property
    def inner(self) -> tuple[slice, slice]:
        """`keep`, counted from the start of `read`: where it stands in the network's output."""
        rows, columns = (
            slice(keep.start - read.start, keep.stop - read.start)
            for read, keep in zip(self.read, self.keep)
        )
        return rows, columns


def plan_tiles(
    height: int, width: int, *, halo: int, size_multiple: int, pixels: int
) -> list[Tile]:
    """Cuts a picture into the tiles that cost the least computation.

    Args:
      height: of the picture, in pixels.
      width: the same.
      halo: how far a pixel's result sees.
      size_multiple: the grid that tiles have to begin on.
      pixels: most that a tile may hold, its halo included.

    Raises:
      TooLargeError: `pixels` is too few for a single tile.
    """
    if height * width <= pixels:
        whole = (slice(0, height), slice(0, width))
        return [Tile(read=whole, keep=whole)]
    halo = _round_up(halo, size_multiple)
    best: tuple[int, int, int] | None = None
    for count in range(1, -(-height // size_multiple) + 1):
        rows = _round_up(-(-height // count), size_multiple)
        tall = min(height, rows + 2 * halo)
        if best is not None and count * 2 * halo * width > best[0]:
            break  # from here on the halos alone cost more
        columns = _widest(width, pixels // tall, halo, size_multiple)
        if columns:
            across = -(-width // columns)
            cost = -(-height // rows) * across * tall * min(width, columns + 2 * halo)
            if best is None or cost < best[0]:
                best = cost, rows, columns
    if best is None:
        raise TooLargeError(f"a {width}x{height} picture cannot be cut into tiles of {pixels} px")
    _, rows, columns = best
    return [
        Tile(read=(read_rows, read_columns), keep=(keep_rows, keep_columns))
        for read_rows, keep_rows in _spans(height, rows, halo)
        for read_columns, keep_columns in _spans(width, columns, halo)
    ]


def smallest_tile(*, halo: int, size_multiple: int) -> int:
    """The pixels that a tile needs at least for `plan_tiles` to cut any picture."""
    return int((2 * _round_up(halo, size_multiple) + size_multiple) ** 2)


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _widest(width: int, allowed: int, halo: int, multiple: int) -> int:
    """Columns to keep of each tile, at most `allowed` with their halo, all tiles alike; 0: none."""
    if width <= allowed:
        return width
    columns = (allowed - 2 * halo) // multiple * multiple
    if columns <= 0:
        return 0
    return _round_up(-(-width // -(-width // columns)), multiple)


def _spans(size: int, step: int, halo: int) -> list[tuple[slice, slice]]:
    """(read, keep) along one axis."""
    return [
        (
            slice(max(0, start - halo), min(size, start + step + halo)),
            slice(start, min(size, start + step)),
        )
        for start in range(0, size, step)
    ]
