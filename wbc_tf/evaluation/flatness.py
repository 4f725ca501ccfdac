"""How flat a picture's areas are, and how strong its edges: figures that need no network.

Both use the Sobel gradient of the luma. A cartoon has large areas without any gradient, and edges
that are as strong as a photo's or stronger. A blurred picture has flat areas but no strong edges.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

#: In the units of `luma_gradient`: under it a pixel's surroundings look flat.
FLAT_BELOW = 4.0
#: The percentile of the gradient that stands for a picture's edges.
EDGE_PERCENTILE = 99.0


def luma_gradient(image: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] RGB -> float32 [H, W].

    The length of the 3 x 3 Sobel gradient of the BT.601 luma, divided by 4: grey levels per two
    pixels on a ramp, and a step's own height at the step. Borders are reflected.
    """
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    along_x = cv2.Sobel(luma, cv2.CV_32F, 1, 0, ksize=3)
    along_y = cv2.Sobel(luma, cv2.CV_32F, 0, 1, ksize=3)
    return np.hypot(along_x, along_y) / 4


def flat_share(image: np.ndarray) -> float:
    """Share of the pixels whose gradient is below `FLAT_BELOW`: 0 to 1."""
    return float(np.mean(luma_gradient(image) < FLAT_BELOW))


def edge_strength(image: np.ndarray) -> float:
    """The 99th percentile of the gradient, in the units of `luma_gradient`."""
    return float(np.percentile(luma_gradient(image), EDGE_PERCENTILE))


def flatness_rows(images: Sequence[np.ndarray]) -> np.ndarray:
    """[N, 2]: flat share and edge strength of each picture."""
    return np.array([(flat_share(image), edge_strength(image)) for image in images])
