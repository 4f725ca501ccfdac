"""The structure representation (Wang & Yu 2020, section 3.2): flat regions of one colour each."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from wbc_tf.ops.pool import shared_pool
from wbc_tf.ops.structure_map import KINDS


def structure(
    images: tf.Tensor,
    *,
    kind: str = "adaptive",
    segments: int = 200,
    power: float = 1.2,
    released: bool = False,
) -> tf.Tensor:
    """Structure maps of a batch, computed by NumPy in worker processes; works in graphs too.

    No gradient flows through it: for training the maps are constants. A graph that holds this
    cannot be exported, since the work is done by this Python process.

    Args:
      images: [N, H, W, 3] float of any precision, RGB in [-1, 1]. Values outside are clipped, and
        NaN counts as 0.
      kind: "adaptive" for the paper's own; "slic" for what the authors' released program trains
        with; "felzenszwalb" for regions in their plain means. See ``wbc_tf.ops.structure_map``,
        as for the other options.
      segments: about how many regions.
      power: contrast of the adaptive colouring.
      released: reproduce the authors' released program instead of the paper.

    Returns:
      float32 of the same shape, in [-1, 1], always finite.

    Raises:
      ValueError: there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, and must be one of {', '.join(KINDS)}")
    images = tf.cast(images, tf.float32)
    options = {"kind": kind, "segments": segments, "power": power, "released": released}

    def paint(batch: np.ndarray) -> np.ndarray:
        # Looked up at each call: the pool of the time the graph was built may be closed by now.
        return shared_pool().map(batch, options)

    maps = tf.numpy_function(paint, [images], tf.float32)
    return tf.stop_gradient(tf.ensure_shape(maps, images.shape))
