"""The generator: a fully convolutional U-Net (paper section 3.5; its figure is in the appendix).

Convolutions, leaky ReLU and bilinear resize only, so that it runs at any size and on any device.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from wbc_tf.layers.resize import upsample_2x

# tf.nn.leaky_relu's default, as released; Keras' own layer defaults to 0.3.
LEAKY_SLOPE = 0.2
# Two stride-2 convolutions: sides must be multiples of this for the skip connections to meet.
SIZE_MULTIPLE = 4


def _convolution(filters: int, kernel_size: int, *, name: str, strides: int = 1) -> Any:
    return tf.keras.layers.Conv2D(filters, kernel_size, strides=strides, padding="same", name=name)


def _leaky_relu(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.leaky_relu(x, alpha=LEAKY_SLOPE)


class ResidualBlock(tf.keras.layers.Layer):
    """Two 3x3 convolutions around a leaky ReLU, added to their input; no activation after."""

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv1 = _convolution(filters, 3, name="conv1")
        self.conv2 = _convolution(filters, 3, name="conv2")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[N, H, W, filters] -> the same shape."""
        return x + self.conv2(_leaky_relu(self.conv1(x)))


class Generator(tf.keras.Model):
    """Photo in, raw cartoon out; the guided filter comes after it and is not part of it.

    The released network: 32 channels at full size, 64 at a half, 128 at a quarter, four residual
    blocks, and skip connections by *addition*. 1,467,075 parameters at the default width. The
    output is unbounded, as released.

    Args:
      channels: width at full size.
      blocks: residual blocks at a quarter of the size.
    """

    def __init__(self, *, channels: int = 32, blocks: int = 4, **kwargs: Any) -> None:
        super().__init__(**{"name": "generator", **kwargs})
        self._shape = {"channels": channels, "blocks": blocks}
        self.stem = _convolution(channels, 7, name="stem")
        self.down_half = _convolution(channels, 3, strides=2, name="down_half")
        self.conv_half = _convolution(channels * 2, 3, name="conv_half")
        self.down_quarter = _convolution(channels * 2, 3, strides=2, name="down_quarter")
        self.conv_quarter = _convolution(channels * 4, 3, name="conv_quarter")
        self.blocks = [ResidualBlock(channels * 4, name=f"block_{i}") for i in range(blocks)]
        self.squeeze_quarter = _convolution(channels * 2, 3, name="squeeze_quarter")
        self.merge_half = _convolution(channels * 2, 3, name="merge_half")
        self.squeeze_half = _convolution(channels, 3, name="squeeze_half")
        self.merge_full = _convolution(channels, 3, name="merge_full")
        # The last layer answers in float32, so that the picture keeps its 8 bits under mixed
        # precision: bfloat16 has steps of 1/128 near 1, one grey level.
        self.to_rgb = tf.keras.layers.Conv2D(3, 7, padding="same", name="to_rgb", dtype="float32")

    def call(self, photo: tf.Tensor) -> tf.Tensor:
        """Cartoonizes.

        Args:
          photo: [N, H, W, 3] RGB in [-1, 1]; H and W multiples of `SIZE_MULTIPLE`.

        Returns:
          float32 [N, H, W, 3] RGB, mostly in [-1, 1] but not bounded.
        """
        full = _leaky_relu(self.stem(photo))
        half = _leaky_relu(self.conv_half(_leaky_relu(self.down_half(full))))
        x = _leaky_relu(self.conv_quarter(_leaky_relu(self.down_quarter(half))))
        for block in self.blocks:
            x = block(x)
        x = _leaky_relu(self.squeeze_quarter(x))
        x = _leaky_relu(self.merge_half(upsample_2x(x) + half))
        x = _leaky_relu(self.squeeze_half(x))
        x = _leaky_relu(self.merge_full(upsample_2x(x) + full))
        return self.to_rgb(x)

    def get_config(self) -> dict[str, Any]:
        """What `build_generator` needs to make this network again, without its weights."""
        return dict(self._shape)


def build_generator(**kwargs: Any) -> Generator:
    """A generator whose variables exist, ready to be loaded or trained."""
    generator = Generator(**kwargs)
    generator(tf.zeros([1, SIZE_MULTIPLE, SIZE_MULTIPLE, 3]))
    return generator
