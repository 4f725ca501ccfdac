"""The photo's brightness for the cartoon, as AnimeGANv2's program for photos does it."""

from __future__ import annotations

import cv2
import numpy as np


def brightness(rgb: np.ndarray) -> float:
    """``0.299 mean(R) + 0.587 mean(G) + 0.114 mean(B)`` of uint8 [H, W, 3]: 0 to 255."""
    red, green, blue, _ = cv2.mean(rgb)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def match_brightness(cartoon: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Multiplies a cartoon by one number, so that it is as bright as the photo.

    What gets brighter than white is clipped, and the cartoon then stays a little darker. The
    original truncates the results to whole levels; here they are rounded.

    Args:
      cartoon: uint8 [H, W, 3] RGB. A black one stays black.
      photo: uint8 [h, w, 3] RGB.

    Returns:
      uint8 [H, W, 3].
    """
    drawn = brightness(cartoon)
    if drawn == 0:
        return cartoon
    levels = np.rint(np.arange(256) * (brightness(photo) / drawn))
    return cv2.LUT(cartoon, np.clip(levels, 0, 255).astype(np.uint8))
