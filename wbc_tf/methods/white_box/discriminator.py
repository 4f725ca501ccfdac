"""The patch discriminator (paper section 3.4 and its appendix), with spectral normalisation."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from wbc_tf.layers.spectral_norm import SpectralNormConv2D
from wbc_tf.methods.white_box.generator import LEAKY_SLOPE


class Discriminator(tf.keras.Model):
    """Pictures in, one logit per patch out: high where it takes them for drawn.

    The released ``disc_sn``: three pairs of 3x3 convolutions, the first of each with stride 2, at
    32, 64 and 128 channels, then a 1x1. A logit sees 43 x 43 pixels, at a distance of 8.

    Args:
      channels: of the first pair; doubled at each of the next two.
    """

    def __init__(self, *, channels: int = 32, **kwargs: Any) -> None:
        super().__init__(**{"name": "discriminator", **kwargs})
        dtype = self.dtype_policy
        self.pairs = []
        for i in range(3):
            width = channels * 2**i
            down = SpectralNormConv2D(width, 3, strides=2, name=f"conv{i}_1", dtype=dtype)
            same = SpectralNormConv2D(width, 3, name=f"conv{i}_2", dtype=dtype)
            self.pairs.append((down, same))
        self.to_logit = SpectralNormConv2D(1, 1, name="conv_out", dtype=dtype)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """[N, H, W, C] in [-1, 1] -> [N, ceil(H / 8), ceil(W / 8), 1], unbounded."""
        x = images
        for down, same in self.pairs:
            x = tf.nn.leaky_relu(down(x), alpha=LEAKY_SLOPE)
            x = tf.nn.leaky_relu(same(x), alpha=LEAKY_SLOPE)
        return self.to_logit(x)
