"""The structure representation of one picture (White-box Cartoonization, section 3.2).

What the paper says, our default, beside what the authors' released program does:

========================  ================================  ================================
step                      default                           ``released=True``
========================  ================================  ================================
SLIC: conversion to Lab   RGB                               BGR taken for RGB
Felzenszwalb              picture in [-1, 1]                the same
merging looks at          the picture                       its regions in their mean colours
merging: Lab of           RGB in [0, 1]                     BGR in [-1, 1], taken for that
colour histograms         25 bins over all of Lab           over each region's own extremes,
                                                            by which all regions are alike
texture histograms        10 bins over all patterns         over each region's own extremes
region sizes              true                              region 1's for all, then added up
size of the picture       its pixels                        three times that
stop merging at           ``segments`` regions              ``segments`` pairs of neighbours
mean or median            by the deviation, on 0-255        always the mean: the deviation is
                                                            that of [-1, 1]
sums of pixels            float64                           float32, one after the other
brightest colour          as it comes                       stretched to 1; black is 0 / 0
a mean below -1           cannot be: clipped                to the power 1.2: NaN
========================  ================================  ================================

The last two are where the released mode departs from the released program: black stays
black, and what lies outside [-1, 1] is clipped in both modes.
"""

from __future__ import annotations

import numpy as np

from wbc_tf.ops.coloring import adaptive_colors, region_means
from wbc_tf.ops.selective_search import merge_regions
from wbc_tf.ops.superpixels import felzenszwalb_labels, slic_labels

KINDS = ("adaptive", "slic", "felzenszwalb")


def structure_map(
    image: np.ndarray,
    *,
    kind: str = "adaptive",
    segments: int = 200,
    power: float = 1.2,
    scale: float = 10.0,
    min_size: int = 100,
    released: bool = False,
) -> np.ndarray:
    """Paints a picture in regions of one colour each.

    Args:
      image: [H, W, 3] of any float type, RGB in [-1, 1]. Values outside are clipped to that range
        and NaN counts as 0, so that a generator gone astray gets a picture to learn from.
      kind: "adaptive", the paper's own: Felzenszwalb's regions, merged by selective search,
        adaptively coloured. "slic": SLIC superpixels in their mean colours, with which the
        authors' released program trains. "felzenszwalb": the regions before merging, in their
        mean colours.
      segments: about how many superpixels ("slic"); how many regions to merge down to
        ("adaptive"): a picture of 256 x 256 rarely has more than 200 to begin with.
      power: contrast of the adaptive colouring.
      scale: of Felzenszwalb's segmentation; larger makes larger regions.
      min_size: of Felzenszwalb's regions, in pixels.
      released: reproduce the authors' released program instead of the paper, for any picture that
        lies in [-1, 1]. Each function called here says what that changes.

    Returns:
      [H, W, 3] float32 in [-1, 1], finite whatever came in.

    Raises:
      TypeError: the picture's numbers are not floats.
      ValueError: the picture or an option is not as described.
    """
    image = _checked_picture(image)
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, and must be one of {', '.join(KINDS)}")
    if not 0.0 < power < np.inf:
        raise ValueError(f"power is {power}, and must be a positive number")
    if segments < 1:
        raise ValueError(f"segments is {segments}, and must be at least 1")

    if kind == "slic":
        labels = slic_labels(image, segments=segments, released=released)
        colors = region_means(image, labels, released=released)
    else:
        labels = felzenszwalb_labels(image, scale=scale, min_size=min_size, released=released)
        if kind == "felzenszwalb":
            colors = region_means(image, labels, released=released)
        else:
            labels = merge_regions(image, labels, segments=segments, released=released)
            colors = adaptive_colors(image, labels, power=power, released=released)
    # A mean can round past the values it is of.
    return np.clip(colors, -1.0, 1.0).take(labels, axis=0)


def _checked_picture(image: np.ndarray) -> np.ndarray:
    if not np.issubdtype(image.dtype, np.floating):
        raise TypeError(
            f"the picture's numbers are {image.dtype}, and must be floats in [-1, 1]; "
            "bytes become that by value / 127.5 - 1"
        )
    if image.ndim != 3 or image.shape[-1] != 3 or image.size == 0:
        raise ValueError(f"the picture has shape {image.shape}, and must be [height, width, 3]")
    image = np.clip(image, -1.0, 1.0)
    return np.where(np.isnan(image), 0.0, image).astype(np.float32)
