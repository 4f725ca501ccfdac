"""A photo made to look drawn by filters: flat areas, dark contours, a little more light and colour.

What a cartoonist does to a scene, as far as filters can: after Winnemoeller et al., "Real-Time
Video Abstraction" (SIGGRAPH 2006) and "XDoG" (Computers & Graphics 2012), with L0 smoothing for
their bilateral filter. All of it is nearly a local function of the picture, so a network learns it.
"""

from __future__ import annotations

import cv2
import numpy as np

from wbc_tf.ops.l0_smoothing import l0_smoothing

#: Smoothing sees the picture to this power, [0, 1]: what the dark areas hold costs it less than the
#: eye would miss, faces in shadow above all.
_SHADOWS = 0.6
#: Of the photo's own fine texture, so much stays. Below what reads as texture, yet VGG sees it: its
#: features are then half as far from the photo's.
_TEXTURE = 0.35
#: How far colours go away from grey, 1 is nowhere.
_SATURATION = 1.15
#: Contours: the difference of two Gaussians, the first's deviation in pixels and what the second's
#: is times that; from which difference on there is ink, and how fast it gets dense (XDoG's sigma,
#: k, epsilon and phi).
_SIGMA, _RATIO, _LEAST, _STEEPNESS = 2.0, 1.6, 0.03, 60.0
#: Deviation in pixels of the blur that takes the steps from the edges of areas and ink.
_EDGE = 0.5

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def draw(
    images: np.ndarray,
    *,
    smoothing: float,
    ink: float,
    gamma: float = 1.0,
    contrast: float = 0.15,
) -> np.ndarray:
    """Flattens pictures and inks their contours, on the dark side of each edge.

    Args:
      images: float32 [N, H, W, 3], RGB in [-1, 1].
      smoothing: see `l0_smoothing`'s strength.
      ink: how dark the contours are: 0 leaves them out, 1 makes them black.
      gamma: the power that tones in [0, 1] are taken to, below 1 for lighter pictures.
      contrast: how far tones then go along the curve 3x^2 - 2x^3; below 0 the other way, for softer
        ones. Black and white stay.

    Returns:
      float32 [N, H, W, 3] in [-1, 1].

    Raises:
      ValueError: another shape, a smoothing or gamma not above 0, ink outside [0, 1], or
        contrast outside [-1, 1].
    """
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"expected pictures [N, H, W, 3], got {list(images.shape)}")
    if not 0 <= ink <= 1:
        raise ValueError(f"ink is {ink}, and must be between 0 and 1")
    if not gamma > 0:
        raise ValueError(f"gamma is {gamma}, and must be greater than 0")
    if not -1 <= contrast <= 1:
        raise ValueError(f"contrast is {contrast}, and must be between -1 and 1")
    photos = (np.asarray(images, np.float32) + 1) / 2
    bright = l0_smoothing(2 * photos**_SHADOWS - 1, strength=smoothing)
    areas = ((bright + 1) / 2) ** (1 / _SHADOWS)
    light = areas**gamma
    lively = light + contrast * (light**2 * (3 - 2 * light) - light)
    grey = (lively @ _LUMA)[..., None]
    lively = grey + _SATURATION * (lively - grey)
    drawn = [
        cv2.GaussianBlur(colors * (1 - ink * _contours(area @ _LUMA)[..., None]), (0, 0), _EDGE)
        for colors, area in zip(lively, areas)
    ]
    drawn = np.stack(drawn) + _TEXTURE * (photos - areas)
    return np.clip(2 * drawn - 1, -1, 1).astype(np.float32)


def _contours(luma: np.ndarray) -> np.ndarray:
    """[H, W] in [0, 1] -> how dense the ink is at each pixel, 0 to 1."""
    near, far = (cv2.GaussianBlur(luma, (0, 0), _SIGMA * ratio) for ratio in (1.0, _RATIO))
    return np.tanh(_STEEPNESS * np.maximum(far - near - _LEAST, 0))
