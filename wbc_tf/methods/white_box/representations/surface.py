"""Surface representation (paper section 3.1): smooth colour areas with their edges, no texture."""

from __future__ import annotations

import tensorflow as tf

from wbc_tf.layers.guided_filter import guided_filter


def surface(images: tf.Tensor, *, radius: int = 5, eps: float = 0.2) -> tf.Tensor:
    """The guided filter of a picture by itself, F_dgf(I, I) in equation 1.

    Args:
      images: [N, H, W, 3] RGB in [-1, 1].
      radius: of the window, in pixels. The paper gives none; this is the released code's.
      eps: below this variance a window is flattened; the released code's.

    Returns:
      float32 [N, H, W, 3].
    """
    return guided_filter(images, images, radius=radius, eps=eps)
