"""Areas of few tones: smoothing that keeps edges, and a comic's scale of light and colour.

After Winnemoeller, Olsen, Gooch, "Real-Time Video Abstraction" (SIGGRAPH 2006), sections 3.2 and
3.4.
Pictures are CIELAB, float32 [H, W, 3]: L from 0 to 100.
"""

from __future__ import annotations

import cv2
import numpy as np

#: Deviation of the Gaussian over the slope that decides how sharp a step is, in pixels.
_SLOPE_BLUR = 2.0
#: How much of the warmth goes to red, beside yellow.
_RED = 0.3
#: Deviation of the Gaussian of the sharpening, and the window whose range it keeps to, in pixels.
_SHARPEN_BLUR = 2.0
_SHARPEN_WINDOW = 5


def smooth(lab: np.ndarray, *, passes: int, sigma: float, range_sigma: float) -> np.ndarray:
    """Bilateral filters one after the other (Tomasi, Manduchi, ICCV 1998).

    Args:
      lab: the picture.
      passes: how many filters.
      sigma: deviation of the Gaussian over distance, in pixels.
      range_sigma: deviation of the Gaussian over the colour difference, in CIELAB units.
    """
    for _ in range(passes):
        lab = cv2.bilateralFilter(lab, 2 * round(1.5 * sigma) + 1, range_sigma, sigma)
    return lab


def curve(lightness: np.ndarray, *, gamma: float, black: float, white: float) -> np.ndarray:
    """Stretches lightness from [black, white] to [0, 100], then takes it to a power."""
    stretched = np.clip((lightness - black) / (white - black), 0, 1)
    return (100 * stretched**gamma).astype(np.float32)


def quantise(
    lightness: np.ndarray, *, levels: int, sharpness: tuple[float, float], slope: float
) -> np.ndarray:
    """Draws lightness to evenly spaced tones, with a step halfway between two of them.

    Winnemoeller et al. 2006, equation 7, with the tones at 0, 100 / levels, ..., 100: black stays
    black and white stays white. As there, a step is as sharp as the picture is steep: a sharp one
    in a soft shade, on a cheek or in the sky, would look like dirt.

    Args:
      lightness: float32 [H, W], 0 to 100.
      levels: how many steps.
      sharpness: of a step where the picture is flat, and where it rises by `slope` or more. At 1
        there is nearly no step, at 20 it is almost hard.
      slope: in units of lightness per pixel.

    Returns:
      float32 [H, W], 0 to 100.
    """
    width = 100 / levels
    soft, sharp = sharpness
    steep = soft + (sharp - soft) * np.minimum(_slope(lightness) / slope, 1)
    middle = (np.clip(np.floor(lightness / width), 0, levels - 1) + 0.5) * width
    step = np.tanh(steep * (lightness - middle) / width) / np.tanh(steep / 2)
    return (middle + width / 2 * step).astype(np.float32)


def colour(
    lightness: np.ndarray, chroma: np.ndarray, *, saturation: float, warmth: float
) -> np.ndarray:
    """Livelier colours, with warm lights and cool shadows (Gooch et al., SIGGRAPH 1998).

    Args:
      lightness: float32 [H, W].
      chroma: a and b, float32 [H, W, 2].
      saturation: what they are multiplied by; the hue stays.
      warmth: what b goes up in white and down in black.

    Returns:
      CIELAB, float32 [H, W, 3].
    """
    lean = warmth * (lightness / 50 - 1)
    a = saturation * chroma[..., 0] + _RED * lean
    b = saturation * chroma[..., 1] + lean
    return np.stack([lightness, a, b], -1).astype(np.float32)


def sharpen(lab: np.ndarray, *, amount: float) -> np.ndarray:
    """An unsharp mask that stays within what lies around each pixel: crisp edges without halos.

    Args:
      lab: the picture.
      amount: of its difference to a Gaussian mean that is added; 0 changes nothing.
    """
    sharp = lab + amount * (lab - cv2.GaussianBlur(lab, (0, 0), _SHARPEN_BLUR))
    window = np.ones([_SHARPEN_WINDOW, _SHARPEN_WINDOW], np.uint8)
    return np.clip(sharp, cv2.erode(lab, window), cv2.dilate(lab, window))


def _slope(lightness: np.ndarray) -> np.ndarray:
    """[H, W] -> the change per pixel around each pixel."""
    down, across = (cv2.Scharr(lightness, cv2.CV_32F, *axis) / 32 for axis in ((0, 1), (1, 0)))
    return cv2.GaussianBlur(np.hypot(down, across), (0, 0), _SLOPE_BLUR)
