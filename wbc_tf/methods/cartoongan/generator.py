"""The generator (paper section 3.1 and figure 2): down twice, eight residual blocks, up twice.

The layers are those of the first author's Torch program. Where the padding or the alignment differs
from TensorFlow's habits, the line says so: each such habit moves whole pictures.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from wbc_tf.layers.instance_norm import instance_norm
from wbc_tf.layers.padded_conv import PaddedConv2D

#: Two stride-2 convolutions: the result's sides are the photo's, rounded up to multiples of this.
SIZE_MULTIPLE = 4
#: Least side of a photo: reflection in the residual blocks needs two pixels at a quarter of it.
LEAST_SIDE = 2 * SIZE_MULTIPLE


def kernel_start() -> tf.keras.initializers.Initializer:
    """Start values of convolutions in the first author's code. A new object for each layer."""
    return tf.keras.initializers.RandomNormal(0.0, 0.02)


def scale_start() -> tf.keras.initializers.Initializer:
    """Start values of an instance norm's scale in the first author's code, not 1 as elsewhere."""
    return tf.keras.initializers.RandomUniform(0.0, 1.0)


class ConvNorm(tf.keras.layers.Layer):
    """A convolution of stride 1, instance norm, and ReLU unless ``rectified`` is False."""

    def __init__(
        self, filters: int, kernel_size: int, *, mode: str, rectified: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._rectified = rectified
        self.conv = PaddedConv2D(
            filters,
            kernel_size,
            mode=mode,
            kernel_initializer=kernel_start(),
            name="conv",
            dtype=self.dtype_policy,
        )
        self.norm = instance_norm("norm", scale_start())

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[N, H, W, C] -> float32 [N, H, W, filters]."""
        x = self.norm(self.conv(x))
        return tf.nn.relu(x) if self._rectified else x


class ResidualBlock(tf.keras.layers.Layer):
    """Two 3x3 convolutions, added to their input in float32; no activation after the sum."""

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # the sum stays in float32
        dtype = self.dtype_policy
        self.first = ConvNorm(filters, 3, mode="REFLECT", name="first", dtype=dtype)
        self.second = ConvNorm(
            filters, 3, mode="REFLECT", rectified=False, name="second", dtype=dtype
        )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """float32 [N, H, W, filters] -> the same shape and type; H and W at least 2."""
        return x + self.second(self.first(x))


class UpConv2D(tf.keras.layers.Conv2DTranspose):
    """A transposed 3x3 convolution that doubles the size, aligned as Torch aligns it.

    Of the full result, 2H + 1 by 2W + 1, it drops the first row and column. TensorFlow's "same"
    drops the last ones, which shifts the picture by a pixel.
    """

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(filters, 3, strides=2, padding="valid", use_bias=False, **kwargs)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[N, H, W, C] -> [N, 2H, 2W, filters]."""
        return super().call(x)[:, 1:, 1:]


class Generator(tf.keras.Model):
    """Photo in, cartoon out.

    11,124,352 parameters at the default width. The program's convolutions have biases too, but it
    sets them to zero before every step; here there are none.

    Instance norm makes each pixel depend on the whole photo, so that no tile gives its part of the
    picture.

    Args:
      channels: width at full size; two and four times this at a half and a quarter.
      blocks: residual blocks at a quarter of the size.
      **kwargs: Keras' own; ``dtype`` is the precision policy of all convolutions but the last.
        Instance norms, the blocks' sums and the last layer compute in float32.
    """

    def __init__(self, *, channels: int = 64, blocks: int = 8, **kwargs: Any) -> None:
        super().__init__(**{"name": "generator", **kwargs})
        self._settings = {"channels": channels, "blocks": blocks}
        dtype = self.dtype_policy

        def down(filters: int, name: str) -> PaddedConv2D:
            # Zeros on both ends, where TensorFlow's "same" pads an even side only at the end.
            return PaddedConv2D(
                filters, 3, strides=2, kernel_initializer=kernel_start(), name=name, dtype=dtype
            )

        def conv(filters: int, name: str) -> ConvNorm:
            return ConvNorm(filters, 3, mode="CONSTANT", name=name, dtype=dtype)

        def up(filters: int, name: str) -> UpConv2D:
            return UpConv2D(filters, kernel_initializer=kernel_start(), name=name, dtype=dtype)

        self.stem = ConvNorm(channels, 7, mode="REFLECT", name="stem", dtype=dtype)
        self.down_half = down(channels * 2, "down_half")
        self.conv_half = conv(channels * 2, "conv_half")
        self.down_quarter = down(channels * 4, "down_quarter")
        self.conv_quarter = conv(channels * 4, "conv_quarter")
        self.blocks = [
            ResidualBlock(channels * 4, name=f"block_{i}", dtype=dtype) for i in range(blocks)
        ]
        self.up_half = up(channels * 2, "up_half")
        self.merge_half = conv(channels * 2, "merge_half")
        self.up_full = up(channels, "up_full")
        self.merge_full = conv(channels, "merge_full")
        self.to_rgb = PaddedConv2D(
            3, 7, mode="REFLECT", kernel_initializer=kernel_start(), name="to_rgb", dtype="float32"
        )

    def encode(self, photo: tf.Tensor) -> tf.Tensor:
        """[N, H, W, 3] -> float32 [N, ceil(H / 4), ceil(W / 4), 4 * channels]."""
        half = self.conv_half(self.down_half(self.stem(photo)))
        return self.conv_quarter(self.down_quarter(half))

    def decode(self, features: tf.Tensor) -> tf.Tensor:
        """[N, h, w, 4 * channels] -> float32 [N, 4h, 4w, 3] in [-1, 1]."""
        half = self.merge_half(self.up_half(features))
        return tf.tanh(self.to_rgb(self.merge_full(self.up_full(half))))

    def call(self, photo: tf.Tensor) -> tf.Tensor:
        """Cartoonizes.

        Args:
          photo: [N, H, W, 3] RGB in [-1, 1]; H and W at least `LEAST_SIDE`, or a little less: any
            size that leaves two pixels at a quarter.

        Returns:
          float32 [N, h, w, 3] RGB in [-1, 1]; h and w are H and W rounded up to multiples of
          `SIZE_MULTIPLE`. The picture lies at the top left.
        """
        features = self.encode(photo)
        for block in self.blocks:
            features = block(features)
        return self.decode(features)

    def get_config(self) -> dict[str, Any]:
        """What `build_generator` needs to make this network again, without its weights."""
        return dict(self._settings)


def build_generator(**kwargs: Any) -> Generator:
    """A generator whose variables exist, ready to be loaded or trained."""
    generator = Generator(**kwargs)
    generator(tf.zeros([1, LEAST_SIDE, LEAST_SIDE, 3]))
    return generator
