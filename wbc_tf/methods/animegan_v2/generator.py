"""Both generators of AnimeGANv2: the full one, and the small U-net of the repository's history.

Layer norm looks at the whole picture, so that a pixel of the output depends on every pixel of the
photo. A photo cut into tiles would get other statistics in each tile, and other colours.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from wbc_tf.layers.layer_norm import LayerNorm
from wbc_tf.layers.padded_conv import PaddedConv2D
from wbc_tf.layers.resize import upsample_2x

LEAKY_SLOPE = 0.2
#: Sides must be multiples of this; the full network would do with 4.
SIZE_MULTIPLE = 8
#: And at least so long: a reflected border wants a second pixel also at an eighth of the size.
LEAST_SIDE = 16

# Deviation of a standard normal that is cut off at 2.
_TRUNCATED = 0.87962566103423978


def _initializer() -> tf.keras.initializers.Initializer:
    """Truncated normal with the deviation sqrt(2.6 / fan in) before it is cut off.

    Keras' scale is of the variance after that. One object for each kernel: one that is used again
    gives the same values again.
    """
    return tf.keras.initializers.VarianceScaling(
        2.6 * _TRUNCATED**2, mode="fan_in", distribution="truncated_normal"
    )


def _convolution(
    filters: int, kernel_size: int, name: str, *, dtype: Any, strides: int = 1
) -> PaddedConv2D:
    """Without bias, under a reflected border.

    At stride 2 the border lies at the bottom and the right only. The discriminator's lies at the
    top and the left.
    """
    after = kernel_size // 2
    return PaddedConv2D(
        filters,
        kernel_size,
        borders=(after if strides == 1 else 0, after),
        mode="REFLECT",
        strides=strides,
        kernel_initializer=_initializer(),
        name=name,
        dtype=dtype,
    )


def _leaky_relu(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.leaky_relu(x, alpha=LEAKY_SLOPE)


class ConvNorm(tf.keras.layers.Layer):
    """Reflected border, convolution without bias, layer norm, leaky ReLU.

    Args:
      filters: channels out; None makes a depthwise 3x3 convolution, which has a bias, unlike all
        others.
      kernel_size: side of the square window.
      strides: along both sides.
      activation: False leaves out the leaky ReLU.
    """

    def __init__(
        self,
        filters: int | None,
        kernel_size: int = 3,
        *,
        strides: int = 1,
        activation: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.activation = activation
        self.depthwise = filters is None
        dtype = self.dtype_policy
        if filters is None:
            self.conv = tf.keras.layers.DepthwiseConv2D(
                3, depthwise_initializer=_initializer(), name="conv", dtype=dtype
            )
        else:
            self.conv = _convolution(filters, kernel_size, "conv", dtype=dtype, strides=strides)
        self.norm = LayerNorm(name="norm")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[N, H, W, C] -> [N, H / strides, W / strides, filters], H and W at least 2."""
        if self.depthwise:
            x = tf.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="REFLECT")
        x = tf.cast(self.norm(self.conv(x)), self.compute_dtype)
        return _leaky_relu(x) if self.activation else x


class InvertedResidual(tf.keras.layers.Layer):
    """1x1 to twice the channels, depthwise 3x3, 1x1 without activation; plus the input.

    The sum is left out where input and output differ in channels, and nothing follows it. (Sandler
    et al., "MobileNetV2", CVPR 2018, section 3.3, with layer norm.)
    """

    def __init__(self, filters_in: int, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        dtype = self.dtype_policy
        self.expand = ConvNorm(2 * filters_in, 1, name="expand", dtype=dtype)
        self.depthwise = ConvNorm(None, name="depthwise", dtype=dtype)
        self.project = ConvNorm(filters, 1, activation=False, name="project", dtype=dtype)
        self.has_skip = filters_in == filters

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[N, H, W, filters_in] -> [N, H, W, filters]."""
        change = self.project(self.depthwise(self.expand(x)))
        return x + change if self.has_skip else change


class Bottleneck(tf.keras.layers.Layer):
    """The small generator's residual block: 1x1, 3x3, and a 1x1 that stands bare; plus the input.

    Bare is without norm and activation. Nothing follows the sum.
    """

    def __init__(self, filters: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        dtype = self.dtype_policy
        self.squeeze = ConvNorm(width, 1, name="squeeze", dtype=dtype)
        self.conv = ConvNorm(width, 3, name="conv", dtype=dtype)
        self.restore = _convolution(filters, 1, "restore", dtype=dtype)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[N, H, W, filters] -> the same shape."""
        return x + self.restore(self.conv(self.squeeze(x)))


class Generator(tf.keras.Model):
    """What both networks share: the last layer, and how a network is described."""

    #: As in the config and in ``model.json``.
    network: str

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"name": "generator", **kwargs})
        # In float32, so that the picture keeps its 8 bits under mixed precision.
        self.to_rgb = _convolution(3, 1, "to_rgb", dtype="float32")

    def get_config(self) -> dict[str, Any]:
        """What `build_generator` needs to make this network again, without its weights."""
        return {"network": self.network}

    def _conv(self, filters: int, name: str, *, kernel_size: int = 3, strides: int = 1) -> ConvNorm:
        return ConvNorm(filters, kernel_size, strides=strides, name=name, dtype=self.dtype_policy)


class FullGenerator(Generator):
    """The published generator: 2,143,552 weights, four inverted residual blocks, no long skips.

    The blocks A to E of the authors' graph are `block_a` to `block_e`.
    """

    network = "full"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.block_a = [
            self._conv(32, "a_1", kernel_size=7),
            self._conv(64, "a_2", strides=2),
            self._conv(64, "a_3"),
        ]
        self.block_b = [self._conv(128, "b_1", strides=2), self._conv(128, "b_2")]
        self.block_c = [
            self._conv(128, "c_1"),
            *(
                InvertedResidual(before, 256, name=f"c_residual_{i}", dtype=self.dtype_policy)
                for i, before in enumerate((128, 256, 256, 256), start=1)
            ),
            self._conv(128, "c_2"),
        ]
        self.block_d = [self._conv(128, "d_1"), self._conv(128, "d_2")]
        self.block_e = [
            self._conv(64, "e_1"),
            self._conv(64, "e_2"),
            self._conv(32, "e_3", kernel_size=7),
        ]

    def call(self, photo: tf.Tensor) -> tf.Tensor:
        """Cartoonizes.

        Args:
          photo: [N, H, W, 3] RGB in [-1, 1]; H and W multiples of `SIZE_MULTIPLE`, at least
            `LEAST_SIDE`.

        Returns:
          float32 [N, H, W, 3] RGB in [-1, 1].
        """
        x = photo
        layer: tf.keras.layers.Layer
        for layer in (*self.block_a, *self.block_b, *self.block_c):
            x = layer(x)
        x = upsample_2x(x)
        for layer in self.block_d:
            x = layer(x)
        x = upsample_2x(x)
        for layer in self.block_e:
            x = layer(x)
        return tf.tanh(self.to_rgb(x))


class LiteGenerator(Generator):
    """The small generator: 698,240 weights, a U-net with skips by addition, three levels down."""

    network = "lite"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stem = self._conv(32, "stem", kernel_size=7)
        self.down_half = self._conv(32, "down_half", strides=2)
        self.conv_half = self._conv(64, "conv_half")
        self.down_quarter = self._conv(64, "down_quarter", strides=2)
        self.conv_quarter = self._conv(128, "conv_quarter")
        self.down_eighth = self._conv(64, "down_eighth", strides=2)
        self.conv_eighth = self._conv(128, "conv_eighth")
        self.residuals = [
            Bottleneck(128, 32, name=f"residual_{i}", dtype=self.dtype_policy) for i in range(1, 5)
        ]
        self.up_quarter = self._conv(128, "up_quarter")
        self.merge_quarter = self._conv(64, "merge_quarter")
        self.up_half = self._conv(64, "up_half")
        self.merge_half = self._conv(32, "merge_half")
        self.up_full = self._conv(32, "up_full")
        self.merge_full = self._conv(32, "merge_full", kernel_size=7)

    def call(self, photo: tf.Tensor) -> tf.Tensor:
        """Cartoonizes.

        Args:
          photo: [N, H, W, 3] RGB in [-1, 1]; H and W multiples of `SIZE_MULTIPLE`, at least
            `LEAST_SIDE`.

        Returns:
          float32 [N, H, W, 3] RGB in [-1, 1].
        """
        full = self.stem(photo)
        half = self.conv_half(self.down_half(full))
        quarter = self.conv_quarter(self.down_quarter(half))
        x = self.conv_eighth(self.down_eighth(quarter))
        for block in self.residuals:
            x = block(x)
        x = self.merge_quarter(self.up_quarter(upsample_2x(x)) + quarter)
        x = self.merge_half(self.up_half(upsample_2x(x)) + half)
        x = self.merge_full(self.up_full(upsample_2x(x)) + full)
        return tf.tanh(self.to_rgb(x))


GENERATORS: dict[str, type[Generator]] = {
    generator.network: generator for generator in (FullGenerator, LiteGenerator)
}


def build_generator(network: str = "full", **kwargs: Any) -> Generator:
    """A generator whose variables exist, ready to be loaded or trained.

    Args:
      network: "full" or "lite".
      **kwargs: Keras' own; ``dtype`` is the precision policy of all layers but norms and the last.
    """
    generator: Generator = GENERATORS[network](**kwargs)
    generator(tf.zeros([1, LEAST_SIDE, LEAST_SIDE, 3]))
    return generator
