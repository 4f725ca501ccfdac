"""The guided filter behind a finished network, with the two settings that users have."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from wbc_tf.images import crop_to, pad_to_multiple
from wbc_tf.layers.guided_filter import adjusted

#: Window in pixels, and the variance below which a window counts as flat: what the white-box
#: authors released for inference. Their training has a softer filter (eps 1e-2).
RADIUS = 1
EPS = 5e-3


def cartoon_coefficients(
    network: Callable[[tf.Tensor], tf.Tensor],
    photo: tf.Tensor,
    strength: tf.Tensor | float,
    delta: tf.Tensor | float,
    *,
    size_multiple: int = 1,
    least_side: int = 1,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The cartoon as a local linear model of the photo: ``cartoon = scale * photo + offset``.

    It is what the guided filter computes anyway, and what brings the cartoon of a reduced photo
    back to full size with sharp edges.

    Args:
      network: padded photo -> the cartoon before the filter, of the same shape.
      photo: float32 [N, H, W, 3] RGB in [-1, 1], any size.
      strength: see `wbc_tf.layers.guided_filter.adjusted`.
      delta: see there.
      size_multiple: the network takes sides that are multiples of this.
      least_side: the network takes sides from this length on.

    Returns:
      scale and offset, float32 [N, H, W, 3].
    """
    padded = pad_to_multiple(photo, size_multiple, at_least=least_side)
    drawn = crop_to(network(padded), photo)
    return adjusted(photo, drawn, radius=RADIUS, eps=EPS, strength=strength, delta=delta)
