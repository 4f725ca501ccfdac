"""The generator: a fully convolutional U-Net (paper section 3.4; its figure is in the appendix).

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
#: What may keep the output in [-1, 1].
BOUNDS = {
    "none": tf.identity,
    "clip": lambda images: tf.clip_by_value(images, -1.0, 1.0),
    "tanh": tf.tanh,
}


def _convolution(filters: int, kernel_size: int, *, name: str, dtype: Any, strides: int = 1) -> Any:
    return tf.keras.layers.Conv2D(
        filters, kernel_size, strides=strides, padding="same", name=name, dtype=dtype
    )


def _leaky_relu(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.leaky_relu(x, alpha=LEAKY_SLOPE)


class ResidualBlock(tf.keras.layers.Layer):
    """Two 3x3 convolutions around a leaky ReLU, added to their input; no activation after."""

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        dtype = self.dtype_policy
        self.conv1 = _convolution(filters, 3, name="conv1", dtype=dtype)
        self.conv2 = _convolution(filters, 3, name="conv2", dtype=dtype)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[N, H, W, filters] -> the same shape."""
        return x + self.conv2(_leaky_relu(self.conv1(x)))


class Generator(tf.keras.Model):
    """Photo in, raw cartoon out; the guided filter comes after it and is not part of it.

    The released network: 32 channels at full size, 64 at a half, 128 at a quarter, four residual
    blocks, and skip connections by *addition*. 1,467,075 parameters at the default width.

    Args:
      channels: width at full size.
      blocks: residual blocks at a quarter of the size.
      bound: "none", as released; "clip", which passes no gradient where it cuts; or "tanh".
      **kwargs: Keras' own; ``dtype`` is the precision policy of all layers but the last.
    """

    def __init__(
        self, *, channels: int = 32, blocks: int = 4, bound: str = "none", **kwargs: Any
    ) -> None:
        if bound not in BOUNDS:
            raise ValueError(f"bound is {bound!r}, and must be one of {', '.join(BOUNDS)}")
        super().__init__(**{"name": "generator", **kwargs})
        self._settings = {"channels": channels, "blocks": blocks, "bound": bound}
        self._bound = BOUNDS[bound]

        def convolution(
            filters: int, kernel_size: int, name: str, *, strides: int = 1
        ) -> tf.keras.layers.Layer:
            return _convolution(
                filters, kernel_size, name=name, strides=strides, dtype=self.dtype_policy
            )

        self.stem = convolution(channels, 7, "stem")
        self.down_half = convolution(channels, 3, "down_half", strides=2)
        self.conv_half = convolution(channels * 2, 3, "conv_half")
        self.down_quarter = convolution(channels * 2, 3, "down_quarter", strides=2)
        self.conv_quarter = convolution(channels * 4, 3, "conv_quarter")
        self.blocks = [
            ResidualBlock(channels * 4, name=f"block_{i}", dtype=self.dtype_policy)
            for i in range(blocks)
        ]
        self.squeeze_quarter = convolution(channels * 2, 3, "squeeze_quarter")
        self.merge_half = convolution(channels * 2, 3, "merge_half")
        self.squeeze_half = convolution(channels, 3, "squeeze_half")
        self.merge_full = convolution(channels, 3, "merge_full")
        # The last layer answers in float32, so that the picture keeps its 8 bits under mixed
        # precision: bfloat16 has steps of 1/128 near 1, one grey level.
        self.to_rgb = _convolution(3, 7, name="to_rgb", dtype="float32")

    def call(self, photo: tf.Tensor) -> tf.Tensor:
        """Cartoonizes.

        Args:
          photo: [N, H, W, 3] RGB in [-1, 1]; H and W multiples of `SIZE_MULTIPLE`.

        Returns:
          float32 [N, H, W, 3] RGB, mostly in [-1, 1], and always so only if ``bound`` sees to it.
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
        return self._bound(self.to_rgb(x))

    def get_config(self) -> dict[str, Any]:
        """What `build_generator` needs to make this network again, without its weights."""
        return dict(self._settings)


def build_generator(**kwargs: Any) -> Generator:
    """A generator whose variables exist, ready to be loaded or trained."""
    generator = Generator(**kwargs)
    generator(tf.zeros([1, SIZE_MULTIPLE, SIZE_MULTIPLE, 3]))
    return generator
