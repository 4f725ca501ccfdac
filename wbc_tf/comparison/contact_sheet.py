"""Pictures side by side on one labelled sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

_MARGIN, _LABEL = 12, 20


def contact_sheet(columns: Mapping[str, Sequence[np.ndarray]], *, height: int = 360) -> np.ndarray:
    """Lays pictures out: one column per name, one row per picture.

    Args:
      columns: label -> uint8 [H, W, 3] pictures, as many in each column; sizes may differ.
      height: of a row, in pixels; pictures are scaled to it and keep their proportions.

    Returns:
      uint8 [H, W, 3], the sheet.

    Raises:
      ValueError: columns of different lengths, or nothing to show.
    """
    counts = {label: len(pictures) for label, pictures in columns.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise ValueError(f"a sheet needs as many pictures in each column, at least one: {counts}")
    scaled = {
        label: [scaled_to_height(picture, height) for picture in pictures]
        for label, pictures in columns.items()
    }
    widths = [max(picture.shape[1] for picture in pictures) for pictures in scaled.values()]
    rows = next(iter(counts.values()))
    sheet = Image.new(
        "RGB",
        (sum(widths) + _MARGIN * (len(widths) + 1), _LABEL + rows * (height + _MARGIN) + _MARGIN),
        "white",
    )
    canvas = ImageDraw.Draw(sheet)
    left = _MARGIN
    for (label, pictures), width in zip(scaled.items(), widths):
        canvas.text((left, _MARGIN // 2), label, fill="black")
        for row, picture in enumerate(pictures):
            sheet.paste(
                Image.fromarray(picture), (left, _LABEL + _MARGIN // 2 + row * (height + _MARGIN))
            )
        left += width + _MARGIN
    return np.asarray(sheet)


def scaled_to_height(picture: np.ndarray, height: int) -> np.ndarray:
    """A uint8 [H, W, 3] picture at another height, its proportions kept."""
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    scaled = Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(scaled)
