"""The fast guided filter's second half: coefficients found small, applied at full size.

He & Sun, "Fast Guided Filter" (2015), section 2: the linear model between photo and cartoon is
smooth, so it may be computed on a reduced photo and enlarged; the detail comes from the full photo.
"""

from __future__ import annotations

import cv2
import numpy as np

from wbc_tf.images import to_float, to_uint8

# Pixels computed at a time: an 8K picture's float coefficients would take 800 MB at once.
_STRIP_PIXELS = 2**20


def apply_coefficients(photo: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """``scale * photo + offset``, the coefficients enlarged bilinearly to the photo's size.

    Args:
      photo: uint8 [H, W, 3].
      scale: float32 [h, w, 3]; at h, w = H, W it is used as it is.
      offset: the same.

    Returns:
      uint8 [H, W, 3], rounded to nearest.
    """
    cartoon = np.empty_like(photo)
    rows = max(1, _STRIP_PIXELS // photo.shape[1])
    for top in range(0, len(photo), rows):
        strip = slice(top, min(top + rows, len(photo)))
        a, b = (_enlarged_rows(c, strip, photo.shape) for c in (scale, offset))
        cartoon[strip] = to_uint8(a * to_float(photo[strip]) + b)
    return cartoon


def _enlarged_rows(small: np.ndarray, strip: slice, shape: tuple[int, ...]) -> np.ndarray:
    """Rows `strip` of `small` enlarged to `shape`: half-pixel centres, borders repeated."""
    if small.shape == shape:
        return small[strip]
    height, width = shape[:2]
    centres = (np.arange(strip.start, strip.stop) + 0.5) * (len(small) / height) - 0.5
    centres = np.clip(centres, 0, len(small) - 1).astype(np.float32)
    above = centres.astype(np.intp)
    below = np.minimum(above + 1, len(small) - 1)
    weight = (centres - above)[:, None, None]
    rows = small[above] * (1 - weight) + small[below] * weight
    return cv2.resize(rows, (width, len(rows)), interpolation=cv2.INTER_LINEAR)
