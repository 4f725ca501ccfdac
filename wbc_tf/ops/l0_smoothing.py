"""L0 smoothing: a picture as few flat areas as it can be, its strong edges as they were.

Xu et al., "Image Smoothing via L0 Gradient Minimization" (SIGGRAPH Asia 2011), sections 2 and 3.2.
Unlike a region map it is nearly a local function of the picture, so a network can learn it.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

#: Where the splitting's penalty ends and by what it grows each time; the paper has 1e5 and 2. The
#: larger growth takes half the time, to another picture (3 grey levels apart on average) just as
#: flat.
_LAST_PENALTY, _GROWTH = 1e5, 4.0


def l0_smoothing(images: np.ndarray, *, strength: float) -> np.ndarray:
    """Minimises ``sum (S - I)^2 + strength * (number of pixels where S changes)``.

    By half-quadratic splitting: with the gradient set to zero wherever keeping it costs more than
    `strength`, the picture is a screened Poisson equation's solution (paper's equation 8), solved
    by FFT; the two take turns while they are tied together more and more. Borders are periodic.

    Args:
      images: float32 [N, H, W, C], RGB in [-1, 1].
      strength: the paper's lambda for this range: four times that of pictures in [0, 1], where
        0.01 to 0.02 is usual.

    Returns:
      float32 [N, H, W, C] in [-1, 1].

    Raises:
      ValueError: another shape, or a strength not above 0.
    """
    if images.ndim != 4:
        raise ValueError(f"expected pictures [N, H, W, C], got {list(images.shape)}")
    if not strength > 0:
        raise ValueError(f"strength is {strength}, and must be greater than 0")
    smooth = np.asarray(images, np.float32)
    height, width = smooth.shape[1:3]
    # What the squared differences between periodic neighbours do to each frequency.
    down = 2 - 2 * np.cos(2 * np.pi * np.arange(height) / height)
    across = 2 - 2 * np.cos(2 * np.pi * np.arange(width // 2 + 1) / width)
    laplacian = (down[:, None] + across).astype(np.float32)[..., None]
    original = scipy.fft.rfft2(smooth, axes=(1, 2))
    penalty = 2 * strength
    while penalty < _LAST_PENALTY:
        rises = np.roll(smooth, -1, axis=1) - smooth, np.roll(smooth, -1, axis=2) - smooth
        kept = sum(np.square(rise).sum(axis=-1) for rise in rises) >= strength / penalty
        rises = tuple(rise * kept[..., None] for rise in rises)
        divergence = sum(np.roll(rise, 1, axis=axis) - rise for axis, rise in enumerate(rises, 1))
        spectrum = original + penalty * scipy.fft.rfft2(divergence, axes=(1, 2))
        spectrum /= 1 + penalty * laplacian
        smooth = scipy.fft.irfft2(spectrum, s=(height, width), axes=(1, 2))
        penalty *= _GROWTH
    return np.clip(smooth, -1, 1).astype(np.float32)
