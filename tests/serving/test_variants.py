from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wbc_tf.serving.parity import ParityError
from wbc_tf.serving.variants import Tolerance, VariantFile, export_variants, table

SIZES = ((4, 6), (9, 5))


def _network(photo: np.ndarray) -> np.ndarray:
    return photo / 2


def _export(directory: Path, tolerance: Tolerance, *, off: float, pixels: int | None = None):
    """Exports a file whose program differs from the network by some grey levels."""

    def run(content: bytes, photo: np.ndarray) -> np.ndarray:
        cartoon = _network(photo)
        cartoon[:, :, :pixels] += off / 127.5
        return cartoon

    return export_variants(
        directory,
        {"exact": Tolerance(), "coarse": tolerance},
        ending=".net",
        convert=str.encode,
        run=run,
        network=_network,
        sizes=SIZES,
    )


def test_every_variant_is_written_with_what_was_found(tmp_path: Path) -> None:
    told = []
    version, files = export_variants(
        tmp_path / "m-net",
        {"one": Tolerance(largest=0), "two": Tolerance(mean=0)},
        ending=".net",
        convert=str.encode,
        run=lambda content, photo: _network(photo),
        network=_network,
        sizes=SIZES,
        complete=lambda folder, files: told.append([file.variant for file in files]),
    )
    assert files == [VariantFile("one", 3, 0, 0.0), VariantFile("two", 3, 0, 0.0)]
    assert {path.name: path.read_bytes() for path in version.iterdir()} == {
        "one.net": b"one", "two.net": b"two",
    }  # fmt: skip
    assert told == [["one", "two"]]


@pytest.mark.parametrize(
    ("tolerance", "off", "pixels", "words"),
    [
        (Tolerance(mean=1.0), 3.0, None, r"coarse.net: differs .* by 3 grey levels on average"),
        (Tolerance(largest=2), 3.0, 1, r"coarse.net: differs .* by 3 grey levels, above 2"),
        (Tolerance(), np.nan, 1, "exact.net: gives NaN"),
    ],
)
def test_a_file_that_is_off_leaves_nothing_behind(
    tmp_path: Path, tolerance: Tolerance, off: float, pixels: int | None, words: str
) -> None:
    with pytest.raises(ParityError, match=words):
        _export(tmp_path / "m-net", tolerance, off=off, pixels=pixels)
    assert list(tmp_path.iterdir()) == []


def test_a_difference_below_the_tolerance_is_let_through(tmp_path: Path) -> None:
    _, files = _export(tmp_path / "m-net", Tolerance(largest=3, mean=1.5), off=3.0, pixels=1)
    assert files[1].max_difference == 3
    assert 0 < files[1].mean_difference < 1.5


def test_the_table() -> None:
    files = [VariantFile("int8", 3 * 1024, 20, 1.25)]
    assert table(files).splitlines()[2] == "| int8 | 3 | 20 | 1.250 |"
