"""A real photo that is always there, for checks of exported models."""

from __future__ import annotations

import cv2
import numpy as np
from skimage import data


def sample_photo(height: int, width: int) -> np.ndarray:
    """scikit-image's astronaut (NASA, public domain) at a size: uint8 [height, width, 3] RGB."""
    size = (width, height)
    return np.asarray(cv2.resize(data.astronaut(), size, interpolation=cv2.INTER_LINEAR))
