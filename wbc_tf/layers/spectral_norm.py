"""Convolution with spectral normalisation (Miyato et al., ICLR 2018), as the authors train with it.

`tfa.layers.SpectralNormalization` and Keras' own overwrite the kernel with its normalised value at
each call, so that the optimizer moves another variable than the one it differentiated. Here a
*copy* is divided by sigma, and the gradient flows through sigma too: algorithm 1 of the paper.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class SpectralNormConv2D(tf.keras.layers.Layer):
    """A convolution whose kernel is divided by its largest singular value.

    The kernel counts as a matrix [height * width * channels in, filters]. Its singular value is
    estimated by one power iteration at *every* call, from where the last call left off (`u`, the
    left-over right singular vector, is a weight). Sigma is computed in float32 under every policy:
    the power iteration is a fixed-point search, and in half precision it would stop early.

    Args:
      filters: channels out.
      kernel_size: side of the square window.
      strides: the same along both sides.
      padding: "same" as TensorFlow does it, asymmetric at stride 2; or "valid".
      use_bias: whether a bias follows.
      constant_vectors: True takes both singular vectors as constants, as the white-box program
        does. False differentiates the power iteration too, as AnimeGANv2's does; only the stored
        `u` is a constant then. Once `u` has converged, both give the same gradient.
      kernel_initializer: Keras'.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        strides: int = 1,
        padding: str = "same",
        use_bias: bool = True,
        constant_vectors: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.padding = padding
        self.use_bias = use_bias
        self.constant_vectors = constant_vectors
        self.kernel_initializer = tf.keras.initializers.get(kernel_initializer)

    def build(self, input_shape: tf.TensorShape) -> None:
        """Makes ``kernel``, ``bias`` and ``u`` for [N, H, W, C] inputs."""
        kernel_shape = (self.kernel_size, self.kernel_size, input_shape[-1], self.filters)
        # Not cast automatically: sigma wants the full 24 bits.
        full = {"dtype": "float32", "experimental_autocast": False}
        self.kernel = self.add_weight(
            "kernel", kernel_shape, initializer=self.kernel_initializer, **full
        )
        if self.use_bias:
            self.bias = self.add_weight("bias", (self.filters,), initializer="zeros", **full)
        # Each replica follows its own copy: the kernels are equal, hence so are the copies, and no
        # step waits for their exchange.
        self.u = self.add_weight(
            "u",
            (1, self.filters),
            initializer="random_normal",
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            **full,
        )
        super().build(input_shape)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[N, H, W, C] -> [N, h, w, filters]; moves `u` on.

        With 'same' padding h is ceil(H / strides); with 'valid' the window stays inside.
        """
        kernel = tf.cast(self.kernel / self._sigma(), x.dtype)
        x = tf.nn.conv2d(x, kernel, strides=self.strides, padding=self.padding.upper())
        return tf.nn.bias_add(x, tf.cast(self.bias, x.dtype)) if self.use_bias else x

    def _sigma(self) -> tf.Tensor:
        matrix = tf.reshape(self.kernel, [-1, self.filters])
        v = tf.math.l2_normalize(tf.matmul(self.u, matrix, transpose_b=True))
        u = tf.math.l2_normalize(tf.matmul(v, matrix))
        if self.constant_vectors:
            u, v = tf.stop_gradient(u), tf.stop_gradient(v)
        self.u.assign(u)
        return tf.matmul(tf.matmul(v, matrix), u, transpose_b=True)

    def get_config(self) -> dict[str, Any]:
        """What it takes to make this layer again."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "use_bias": self.use_bias,
            "constant_vectors": self.constant_vectors,
            "kernel_initializer": tf.keras.initializers.serialize(self.kernel_initializer),
        }
