"""The patch discriminator (paper section 3.1 and figure 2), as in the first author's code."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from wbc_tf.layers.instance_norm import instance_norm
from wbc_tf.layers.padded_conv import PaddedConv2D
from wbc_tf.methods.cartoongan.generator import kernel_start, scale_start

LEAKY_SLOPE = 0.2


class Discriminator(tf.keras.Model):
    """Pictures in, one logit per patch out: high where it takes them for cartoons.

    Seven 3x3 convolutions without bias. A logit sees 37 x 37 pixels (and through the instance norms
    the statistics of all), at a distance of 4. 1,128,800 parameters at the default width.

    Args:
      channels: of the first convolution; two, four and eight times this in the later ones.
      **kwargs: Keras' own; ``dtype`` is the precision policy of the convolutions.
    """

    def __init__(self, *, channels: int = 32, **kwargs: Any) -> None:
        super().__init__(**{"name": "discriminator", **kwargs})

        def conv(filters: int, name: str, *, strides: int = 1) -> PaddedConv2D:
            return PaddedConv2D(
                filters,
                3,
                strides=strides,
                kernel_initializer=kernel_start(),
                name=name,
                dtype=self.dtype_policy,
            )

        self.conv1 = conv(channels, "conv1")
        self.conv2 = conv(channels * 2, "conv2", strides=2)
        self.conv3 = conv(channels * 4, "conv3")
        self.norm3 = instance_norm("norm3", scale_start())
        self.conv4 = conv(channels * 4, "conv4", strides=2)
        self.conv5 = conv(channels * 8, "conv5")
        self.norm5 = instance_norm("norm5", scale_start())
        self.conv6 = conv(channels * 8, "conv6")
        self.norm6 = instance_norm("norm6", scale_start())
        self.conv7 = conv(1, "conv7")

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """[N, H, W, 3] in [-1, 1] -> [N, ceil(H / 4), ceil(W / 4), 1], unbounded; no sigmoid."""
        x = _leaky_relu(self.conv1(images))
        x = _leaky_relu(self.conv2(x))
        x = _leaky_relu(self.norm3(self.conv3(x)))
        x = _leaky_relu(self.conv4(x))
        x = _leaky_relu(self.norm5(self.conv5(x)))
        x = _leaky_relu(self.norm6(self.conv6(x)))
        return self.conv7(x)


def _leaky_relu(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.leaky_relu(x, alpha=LEAKY_SLOPE)
