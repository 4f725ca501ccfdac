from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbc_tf.inference.tiling import Tile, TooLargeError, plan_tiles, smallest_tile


def _pixels(part: tuple[slice, slice]) -> int:
    return (part[0].stop - part[0].start) * (part[1].stop - part[1].start)


@settings(deadline=None)
@given(
    height=st.integers(1, 150),
    width=st.integers(1, 150),
    halo=st.integers(0, 20),
    multiple=st.sampled_from([2, 4, 8]),
    spare=st.integers(0, 5000),
)
def test_tiles_cover_once_carry_their_halo_and_lie_on_the_grid(
    height: int, width: int, halo: int, multiple: int, spare: int
) -> None:
    pixels = smallest_tile(halo=halo, size_multiple=multiple) + spare
    tiles = plan_tiles(height, width, halo=halo, size_multiple=multiple, pixels=pixels)
    times = np.zeros((height, width), int)
    for tile in tiles:
        times[tile.keep] += 1
        assert _pixels(tile.read) <= pixels
        for read, keep, size in zip(tile.read, tile.keep, (height, width)):
            assert 0 <= read.start <= keep.start < keep.stop <= read.stop <= size
            assert read.start % multiple == 0
            # A border is the picture's own, or farther than the network sees.
            assert read.start == 0 or keep.start - read.start >= halo
            assert read.stop == size or (read.stop - keep.stop >= halo and not read.stop % multiple)
    assert (times == 1).all()


def test_a_picture_that_fits_is_one_tile_without_a_grid_to_keep_to() -> None:
    whole = (slice(0, 7), slice(0, 9))
    tiles = plan_tiles(7, 9, halo=64, size_multiple=4, pixels=63)
    assert tiles == [Tile(read=whole, keep=whole)]
    assert tiles[0].inner == whole


def test_by_hand() -> None:
    # 40 columns at once, of which the halo takes 10 at either side: 20 are kept, five times.
    tiles = plan_tiles(8, 100, halo=10, size_multiple=2, pixels=8 * 40)
    assert [tile.keep[1] for tile in tiles] == [slice(x, x + 20) for x in range(0, 100, 20)]
    assert tiles[0].read == (slice(0, 8), slice(0, 30))
    assert tiles[1].read == (slice(0, 8), slice(10, 50))
    assert tiles[1].inner == (slice(0, 8), slice(10, 30))
    assert tiles[4].read == (slice(0, 8), slice(70, 100))


def test_a_narrow_panorama_is_cut_along_its_length_only() -> None:
    for size in ((64, 100_000), (100_000, 64)):
        tiles = plan_tiles(*size, halo=64, size_multiple=4, pixels=2**19)
        assert len(tiles) == 13
        computed = sum(_pixels(tile.read) for tile in tiles)
        assert computed < 1.03 * size[0] * size[1]


def test_the_cost_of_the_halo_is_kept_low() -> None:
    tiles = plan_tiles(4320, 7680, halo=64, size_multiple=4, pixels=1_900_000)
    computed = sum(_pixels(tile.read) for tile in tiles)
    assert computed < 1.25 * 4320 * 7680


def test_too_few_pixels_are_refused() -> None:
    least = smallest_tile(halo=64, size_multiple=4)
    assert least == 132**2
    assert plan_tiles(200, 300, halo=64, size_multiple=4, pixels=least)
    with pytest.raises(TooLargeError, match="300x200"):
        plan_tiles(200, 300, halo=64, size_multiple=4, pixels=least - 1)
