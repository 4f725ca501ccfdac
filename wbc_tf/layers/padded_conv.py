"""A convolution whose borders are padded by a stated number of pixels, in a stated way."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class PaddedConv2D(tf.keras.layers.Conv2D):
    """A convolution without bias, after explicit padding.

    TensorFlow's "same" pads a convolution of stride 2 only at the end where a side is even. Other
    frameworks pad both ends alike, so the same kernels would see other pixels.

    Args:
      filters: channels of the result.
      kernel_size: side of the square kernel.
      borders: pixels added before and after, along both axes. By default half of the kernel on
        each side, which keeps the size at stride 1.
      mode: "REFLECT", which does not repeat the border pixel and needs sides above the borders, or
        "CONSTANT" for zeros.
      **kwargs: Keras' own, such as ``strides`` and ``dtype``.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        borders: tuple[int, int] | None = None,
        mode: str = "CONSTANT",
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, kernel_size, padding="valid", use_bias=False, **kwargs)
        self._borders = borders or (kernel_size // 2, kernel_size // 2)
        self._mode = mode

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[N, H, W, C] -> [N, (H + borders - kernel) // stride + 1, the same of W, filters]."""
        if any(self._borders):  # a reflection of no pixels would still copy the picture
            x = tf.pad(x, [(0, 0), self._borders, self._borders, (0, 0)], self._mode)
        return super().call(x)
