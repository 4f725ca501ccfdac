"""A model that needs no TensorFlow: half photo, half grey."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wbc_tf.inference.cartoonizer import Cartoonizer


def stand_in(*, wait: Callable[[], None] = lambda: None, **metadata: object) -> Cartoonizer:
    """A cartoonizer whose cartoon is half the photo, for tests of all but the drawing.

    Args:
      wait: is called before each drawing.
      metadata: what the model states.
    """

    def coefficients(
        photo: np.ndarray, strength: float = 1.0, delta: float = 1.0
    ) -> dict[str, np.ndarray]:
        wait()
        scale = np.full_like(photo, 1 - 0.5 * strength)
        return {"scale": scale, "offset": np.zeros_like(photo)}

    stated = {"method": "white_box", "licence": "CC *BY*", "short_side": 96, **metadata}
    return Cartoonizer(coefficients, metadata=stated)
