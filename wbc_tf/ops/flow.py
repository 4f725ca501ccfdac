"""Lines that follow the edges: edge tangent flow, and differences of Gaussians along it.

Kang, Lee, Chui, "Flow-Based Image Abstraction" (TVCG 2009), sections 2 and 3. The flow comes from
the smoothed structure tensor, as in Kyprianidis, Doellner, "Image Abstraction by Structure Adaptive
Filtering" (EG UK 2008), section 3.1.
"""

from __future__ import annotations

import cv2
import numpy as np


def edge_tangents(picture: np.ndarray, *, sigma: float) -> np.ndarray:
    """The direction along the edges at each pixel, from all channels.

    Args:
      picture: float32 [H, W, C].
      sigma: standard deviation of the Gaussian that smooths the structure tensor, in pixels.

    Returns:
      float32 [H, W, 2], unit vectors (x, y); the sign is arbitrary.
    """
    down = cv2.Scharr(picture, cv2.CV_32F, 0, 1).reshape(picture.shape)
    across = cv2.Scharr(picture, cv2.CV_32F, 1, 0).reshape(picture.shape)
    products = (across * across, across * down, down * down)
    xx, xy, yy = (cv2.GaussianBlur(each.sum(-1), (0, 0), sigma) for each in products)
    # The angle of the larger eigenvector of [[xx, xy], [xy, yy]], which points across the edge.
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    return np.stack([-np.sin(angle), np.cos(angle)], -1).astype(np.float32)


def difference_across(
    picture: np.ndarray, tangents: np.ndarray, *, sigma: float, ratio: float
) -> np.ndarray:
    """The difference of two Gaussians across the flow (Kang et al., equation 6, at tau 1).

    Args:
      picture: float32 [H, W] or [H, W, C].
      tangents: [H, W, 2] from `edge_tangents`.
      sigma: standard deviation of the narrow Gaussian, in pixels.
      ratio: standard deviation of the wide Gaussian, as a multiple of sigma.

    Returns:
      float32 of the picture's shape, narrow less wide: below 0 on a line that is darker than both
      its sides, and on the dark side of an edge.
    """
    normals = tangents[..., ::-1] * np.array([1.0, -1.0], np.float32)
    offsets = np.arange(-int(np.ceil(2 * sigma * ratio)), int(np.ceil(2 * sigma * ratio)) + 1)
    kernels = [np.exp(-0.5 * (offsets / width) ** 2) for width in (sigma, sigma * ratio)]
    narrow, wide = (kernel / kernel.sum() for kernel in kernels)
    grid = _grid(picture.shape)
    total = np.zeros_like(picture)
    for offset, weight in zip(offsets, narrow - wide):
        total += float(weight) * _sample(picture, grid + float(offset) * normals)
    return total


def blur_along(picture: np.ndarray, tangents: np.ndarray, *, sigma: float) -> np.ndarray:
    """A Gaussian mean along the flow's stream lines (Kang et al., equation 9).

    Args:
      picture: float32 [H, W] or [H, W, C].
      tangents: [H, W, 2] from `edge_tangents`.
      sigma: standard deviation of the Gaussian, in pixels.

    Returns:
      float32 of the picture's shape.
    """
    total = picture.copy()
    weights = 1.0
    grid = _grid(picture.shape)
    for sense in (1.0, -1.0):
        place, direction = grid, sense * tangents
        for step in range(1, int(np.ceil(2 * sigma)) + 1):
            place = place + direction
            weight = float(np.exp(-0.5 * (step / sigma) ** 2))
            total += weight * _sample(picture, place)
            weights += weight
            # Nearest: means of opposite vectors would cancel out. The sign follows the way here.
            turned = _sample(tangents, place, interpolation=cv2.INTER_NEAREST)
            same = np.sum(turned * direction, -1, keepdims=True) >= 0
            direction = np.where(same, turned, -turned)
    return total / weights


def _grid(shape: tuple[int, ...]) -> np.ndarray:
    """The pixels' own places, float32 [H, W, 2] as (x, y)."""
    rows, columns = np.indices(shape[:2], np.float32)
    return np.stack([columns, rows], -1)


def _sample(
    values: np.ndarray, places: np.ndarray, *, interpolation: int = cv2.INTER_LINEAR
) -> np.ndarray:
    return cv2.remap(
        values, places[..., 0], places[..., 1], interpolation, borderMode=cv2.BORDER_REFLECT_101
    )
