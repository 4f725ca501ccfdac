from __future__ import annotations

import numpy as np
import pytest

from wbc_tf.comparison.contact_sheet import contact_sheet

RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def _flat(height: int, width: int, colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def _box(sheet: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Top, left, height and width of the rectangle of a colour; it must be filled by it."""
    rows, columns = np.nonzero((sheet == colour).all(axis=-1))
    top, left = rows.min(), columns.min()
    height, width = rows.max() - top + 1, columns.max() - left + 1
    assert len(rows) == height * width
    return top, left, height, width


def test_pictures_stand_in_columns_and_rows_at_one_height() -> None:
    sheet = contact_sheet(
        {"photo": [_flat(10, 30, RED), _flat(40, 20, GREEN)], "cartoon": [_flat(5, 5, BLUE)] * 2},
        height=20,
    )
    red, green = _box(sheet, RED), _box(sheet, GREEN)
    assert red[2:] == (20, 60), "twice as high, proportions kept"
    assert green[2:] == (20, 10), "half as high"
    assert red[1] == green[1], "one column"
    assert green[0] > red[0] + 20, "the next row"
    rows, columns = np.nonzero((sheet == BLUE).all(axis=-1))
    assert len(rows) == 2 * 20 * 20
    assert rows.min() == red[0]
    assert rows.max() == green[0] + 19
    assert columns.min() > red[1] + 60, "the next column, right of the widest picture"


def test_each_column_has_its_label_above_it() -> None:
    columns = {"photo": [_flat(8, 80, RED)], "cartoon": [_flat(8, 80, BLUE)]}
    sheet = contact_sheet(columns, height=8)
    blank = contact_sheet({" ": columns["photo"], "  ": columns["cartoon"]}, height=8)
    assert blank.shape == sheet.shape
    rows, places = np.nonzero((sheet != blank).any(axis=-1))
    top, left = _box(sheet, RED)[:2]
    assert rows.max() < top
    right = _box(sheet, BLUE)[1]
    assert left <= places.min() < left + 80
    assert right <= places.max() < right + 80


def test_a_sheet_is_a_picture_of_ours() -> None:
    sheet = contact_sheet({"one": [_flat(7, 3, RED)]})
    assert sheet.dtype == np.uint8
    assert sheet.ndim == 3
    assert sheet.shape[2] == 3
    assert _box(sheet, RED)[2:] == (360, 154)


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"photo": []},
        {"photo": [_flat(2, 2, RED)], "cartoon": []},
        {"photo": [_flat(2, 2, RED)], "cartoon": [_flat(2, 2, RED)] * 2},
    ],
)
def test_uneven_columns_are_refused(columns: dict) -> None:
    with pytest.raises(ValueError, match="as many pictures in each column"):
        contact_sheet(columns)
