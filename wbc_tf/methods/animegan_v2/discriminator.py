"""The patch discriminator, with spectral normalisation and layer norm."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from wbc_tf.layers.layer_norm import LayerNorm
from wbc_tf.layers.spectral_norm import SpectralNormConv2D
from wbc_tf.methods.animegan_v2.generator import LEAKY_SLOPE

# (name, channels, strides, norm), under the authors' names.
_LAYERS = (
    ("conv_0", 32, 1, None),
    ("conv_s2_1", 64, 2, None),
    ("conv_s1_1", 128, 1, "1_norm_1"),
    ("conv_s2_2", 128, 2, None),
    ("conv_s1_2", 256, 1, "1_norm_2"),
    ("last_conv", 256, 1, "2_ins_norm"),
)


class Discriminator(tf.keras.Model):
    """Pictures in, one logit per patch out: high where it takes them for drawn.

    Seven 3x3 convolutions without bias, all spectrally normalised; 1,128,800 weights.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"name": "discriminator", **kwargs})
        self.stages = [
            (
                self._convolution(name, channels, strides),
                None if norm is None else LayerNorm(name=norm),
            )
            for name, channels, strides, norm in _LAYERS
        ]
        self.to_logit = self._convolution("D_logit", 1, 1)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """[N, H, W, 3] in [-1, 1] -> [N, H / 4, W / 4, 1], unbounded; H and W multiples of 4."""
        x = images
        for convolution, norm in self.stages:
            x = convolution(_padded(x, convolution.strides))
            if norm is not None:
                x = tf.cast(norm(x), self.compute_dtype)
            x = tf.nn.leaky_relu(x, alpha=LEAKY_SLOPE)
        return self.to_logit(_padded(x, 1))

    def _convolution(self, name: str, filters: int, strides: int) -> SpectralNormConv2D:
        return SpectralNormConv2D(
            filters,
            3,
            strides=strides,
            padding="valid",
            use_bias=False,
            constant_vectors=False,
            kernel_initializer=tf.keras.initializers.RandomNormal(stddev=0.02),
            name=name,
            dtype=self.dtype_policy,
        )


def _padded(x: tf.Tensor, strides: int) -> tf.Tensor:
    """A border of zeros; at stride 2 it lies at the top and the left only.

    The generator's border lies at the bottom and the right, and so does that of TensorFlow's 'SAME'
    at even sizes.
    """
    after = 1 if strides == 1 else 0
    return tf.pad(x, [[0, 0], [1, after], [1, after], [0, 0]])


def build_discriminator(**kwargs: Any) -> Discriminator:
    """A discriminator whose variables exist."""
    discriminator = Discriminator(**kwargs)
    discriminator(tf.zeros([1, 16, 16, 3]))
    return discriminator
