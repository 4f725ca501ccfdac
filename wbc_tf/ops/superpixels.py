"""Cutting a picture into regions: SLIC and Felzenszwalb's graph segmentation."""

from __future__ import annotations

import numpy as np
from skimage.segmentation import felzenszwalb, slic


def slic_labels(image: np.ndarray, *, segments: int = 200, released: bool = False) -> np.ndarray:
    """SLIC superpixels (Achanta et al., TPAMI 2012): compactness 10, sigma 1, in Lab.

    Args:
      image: [H, W, 3] float, RGB, finite. Only ratios between values matter, since scikit-image
        stretches the picture to [0, 1] first.
      segments: about how many superpixels; connected ones too small to stand alone are absorbed.
      released: take blue for red and red for blue in the conversion to Lab, as the authors'
        program does, whose pictures are BGR.

    Returns:
      [H, W] integers from 1 on, every number in use.
    """
    if released:
        image = image[..., ::-1]
    return slic(np.ascontiguousarray(image), n_segments=segments, compactness=10.0, sigma=1.0)


def felzenszwalb_labels(
    image: np.ndarray,
    *,
    scale: float = 10.0,
    sigma: float = 0.8,
    min_size: int = 100,
    released: bool = False,
) -> np.ndarray:
    """Regions of Felzenszwalb & Huttenlocher (IJCV 2004), the start of selective search.

    Args:
      image: [H, W, 3] float, RGB in [-1, 1]. Both modes hand this range to scikit-image as it is,
        although its ``scale`` is meant for [0, 1]: the contrasts are twice as large, hence the
        regions as small as with half the scale.
      scale: larger makes larger regions.
      sigma: of the Gaussian that smooths the picture first, in pixels.
      min_size: smaller regions are joined to a neighbour, in pixels.
      released: add up the channels' differences from blue to red, as the authors' program does.
        This can matter only for edges that are equal but for rounding.

    Returns:
      [H, W] integers from 0 on, every number in use.
    """
    if released:
        image = image[..., ::-1]
    return felzenszwalb(
        np.ascontiguousarray(image), scale=scale, sigma=sigma, min_size=min_size, channel_axis=-1
    )
