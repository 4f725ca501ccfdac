"""Cartoons whose edges are blurred, so that a discriminator learns that clear edges are wanted.

Chen et al., "CartoonGAN" (CVPR 2018), section 3.2.1: find the edges (Canny), widen them (dilation),
and smooth the picture with a Gaussian inside the widened edges. The paper gives no numbers; 100,
200, 5 and 5 are those of the public ports, and of AnimeGAN's authors.
"""

from __future__ import annotations

import cv2
import numpy as np

from wbc_tf.images import to_float, to_uint8


def smooth_edges(
    images: np.ndarray,
    *,
    low_threshold: float = 100.0,
    high_threshold: float = 200.0,
    dilation: int = 5,
    blur: int = 5,
) -> np.ndarray:
    """Blurs pictures near their edges, and leaves every other pixel as it is.

    Args:
      images: float32 [N, H, W, 3], RGB in [-1, 1]; each side at least half of `blur`.
      low_threshold: see `edge_region`.
      high_threshold: see `edge_region`.
      dilation: see `edge_region`.
      blur: see `blurred_in`.

    Returns:
      float32 [N, H, W, 3] in [-1, 1]. What is blurred has the values of whole grey levels.

    Raises:
      ValueError: another shape, or a size that is even or below 1.
    """
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"expected pictures [N, H, W, 3], got {list(images.shape)}")
    smooth = np.array(images, np.float32)
    for image, rgb in zip(smooth, to_uint8(images)):
        gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        region = edge_region(gray, low_threshold, high_threshold, dilation=dilation)
        image[region] = to_float(blurred_in(region, rgb, size=blur)[region])
    return smooth


def edge_region(
    gray: np.ndarray, low_threshold: float, high_threshold: float, *, dilation: int
) -> np.ndarray:
    """Where a picture has edges: Canny's, widened by a square.

    Args:
      gray: uint8 [H, W].
      low_threshold: a pixel with this gradient (L1 norm of the 3x3 Sobel filters) belongs to an
        edge where it touches one.
      high_threshold: a pixel with this gradient starts an edge.
      dilation: side of the square in pixels, odd; 1 leaves the edges as they are.

    Returns:
      bool [H, W].

    Raises:
      ValueError: a dilation that is even or below 1.
    """
    _check_odd("dilation", dilation)
    edges = cv2.Canny(gray, low_threshold, high_threshold)
    return cv2.dilate(edges, np.ones((dilation, dilation), np.uint8)) > 0


def blurred_in(region: np.ndarray, rgb: np.ndarray, *, size: int) -> np.ndarray:
    """A picture with a Gaussian blur inside a region.

    Args:
      region: bool [H, W].
      rgb: uint8 [H, W, C], the channels in any order. Beyond its borders it is reflected.
      size: side of the Gaussian's window in pixels, odd. At 5 the weights are those of (1, 4, 6, 4,
        1) / 16 along each axis.

    Returns:
      uint8 [H, W, C]. Blurred values are truncated to whole grey levels, not rounded as OpenCV's
      own GaussianBlur does.

    Raises:
      ValueError: a size that is even or below 1.
    """
    _check_odd("blur", size)
    weights = cv2.getGaussianKernel(size, 0)  # a fixed table up to size 7
    # In float32 these sums are exact up to size 7: multiples of a power of two below 2^24.
    blurred = cv2.sepFilter2D(rgb, cv2.CV_32F, weights, weights, borderType=cv2.BORDER_REFLECT_101)
    return np.where(region[..., None], np.floor(blurred).astype(np.uint8), rgb)


def _check_odd(name: str, value: int) -> None:
    if value < 1 or value % 2 == 0:
        raise ValueError(f"{name} is {value}, and must be an odd number of pixels, 1 or more")
