"""Animations of arrays, and back."""

from __future__ import annotations

import numpy as np

from wbc_tf.files.animation import Animation, Frame


def moving(
    rgb: np.ndarray,
    alpha: np.ndarray | None = None,
    milliseconds: tuple[float, ...] = (40.0, 120.0, 70.0),
    loop: int | None = 2,
) -> Animation:
    """An animation of uint8 [N, H, W, 3], and [N, H, W] where it has transparency."""
    alphas = [None] * len(rgb) if alpha is None else alpha
    return Animation(lambda: (Frame(*each) for each in zip(rgb, alphas)), milliseconds, loop)


def pixels(animation: Animation | None) -> np.ndarray:
    """Uint8 [N, H, W, 3], or [N, H, W, 4] where it has transparency."""
    assert animation is not None
    return np.stack(
        [f.rgb if f.alpha is None else np.dstack([f.rgb, f.alpha]) for f in animation.frames()]
    )
