"""Giving each region of a picture one colour (White-box Cartoonization, section 3.2).

A table of colours has one row per label number; ``colors[labels]`` paints the picture.
"""

from __future__ import annotations

import numpy as np

# The paper's gamma 1 and gamma 2: standard deviations on the 0-255 scale. Below the first a region
# is painted in its mean, above the second in its median, between them half and half.
STD_THRESHOLDS = (20.0, 40.0)
# One unit of [-1, 1] in units of 0-255.
_STEPS_PER_UNIT = 127.5


def region_means(image: np.ndarray, labels: np.ndarray, *, released: bool = False) -> np.ndarray:
    """Mean colour of each region.

    Args:
      image: [H, W, 3] float32 in [-1, 1].
      labels: [H, W] integers, 0 or above.
      released: add up in float32, pixel by pixel, as the authors' program does. Its means are off
        by 5e-6 in a region of 400 pixels; rounding is worth reproducing only because the program
        goes on to compare such means with each other.

    Returns:
      [R, 3] float32, R one more than the largest label. Numbers not in use are black, -1.
    """
    flat = labels.ravel()
    size = np.bincount(flat)
    sums = np.empty((size.size, 3), np.float32 if released else np.float64)
    for channel in range(3):
        values = np.ascontiguousarray(image[..., channel]).ravel()
        if released:
            column = np.zeros(size.size, np.float32)
            np.add.at(column, flat, values)
            sums[:, channel] = column
        else:
            sums[:, channel] = np.bincount(flat, weights=values)
    means = (sums / np.maximum(size, 1)[:, np.newaxis].astype(sums.dtype)).astype(np.float32)
    means[size == 0] = -1.0
    return means


def region_deviations(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Standard deviation of each region, its three channels taken together.

    Args:
      image: [H, W, 3] float32 in [-1, 1].
      labels: [H, W] integers, 0 or above.

    Returns:
      [R] float64, in the picture's units; 0 for numbers not in use.
    """
    flat = labels.ravel()
    pixels = image.reshape(-1, 3).astype(np.float64)
    values = np.maximum(3 * np.bincount(flat), 1)
    mean = np.bincount(flat, weights=pixels.sum(axis=1)) / values
    # Around the region's own mean: the difference of the mean square and the squared mean would
    # leave a constant region with 1e-8 instead of 0.
    pixels -= mean[flat, np.newaxis]
    return np.sqrt(np.bincount(flat, weights=np.square(pixels, out=pixels).sum(axis=1)) / values)


def region_medians(image: np.ndarray, labels: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Median colour, channel by channel, of some regions.

    Args:
      image: [H, W, 3] float32.
      labels: [H, W] integers, 0 or above.
      regions: [M] the labels in question, ascending, each in use.

    Returns:
      [M, 3] float32.
    """
    flat = labels.ravel()
    wanted = np.zeros(flat.max() + 1, bool)
    wanted[regions] = True
    pixels = np.flatnonzero(wanted[flat])
    # The regions' pixels side by side, so that each region is one slice.
    pixels = pixels[np.argsort(flat[pixels], kind="stable")]
    colors = image.reshape(-1, 3)[pixels]
    medians = np.empty((len(regions), 3), np.float32)
    stop = 0
    for row, size in enumerate(np.bincount(flat)[regions]):
        start, stop = stop, stop + size
        low, high = (size - 1) // 2, size // 2
        ordered = np.partition(colors[start:stop], (low, high), axis=0)
        medians[row] = (ordered[low] + ordered[high]) / 2
    return medians


def adaptive_colors(
    image: np.ndarray, labels: np.ndarray, *, power: float = 1.2, released: bool = False
) -> np.ndarray:
    """The paper's adaptive colouring (equation 2): mean and median blended, then a power.

    Equation 2 does not say which of its two symbols is the mean. The authors' program does, and we
    follow it: mean where a region is even, median where it is not.

    Args:
      image: [H, W, 3] float32 in [-1, 1].
      labels: [H, W] integers, 0 or above.
      power: contrast, applied to colours in [0, 1]; above 1 darkens the middle tones.
      released: do what the authors' program does: always take the mean, because it compares
        standard deviations in [-1, 1] with thresholds meant for 0-255; and stretch the
        result so that its brightest value becomes 1.

    Returns:
      [R, 3] float32 in [-1, 1], R one more than the largest label. Numbers not in use are black.
    """
    colors = region_means(image, labels, released=released)
    if not released:
        deviation = region_deviations(image, labels) * _STEPS_PER_UNIT
        low, high = STD_THRESHOLDS
        uneven = np.flatnonzero(deviation >= low)
        share = np.where(deviation[uneven] >= high, 1.0, 0.5).astype(np.float32)[:, np.newaxis]
        medians = region_medians(image, labels, uneven)
        colors[uneven] = share * medians + (1.0 - share) * colors[uneven]
    # Without the clip a mean below -1 has a negative base and its power is NaN: it is for this
    # that the authors' program leaves the adaptive colouring switched off.
    colors = np.clip((colors + 1.0) / 2.0, 0.0, 1.0) ** np.float32(power)
    if released:
        # An all-black picture has nothing to stretch, and the authors' program divides 0 by 0.
        brightest = colors.max()
        colors = colors / brightest if brightest > 0.0 else colors
    return colors * 2.0 - 1.0
