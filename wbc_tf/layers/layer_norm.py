"""Layer normalisation of whole pictures, as TensorFlow 1's contrib library had it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_EPSILON = 1e-12


class LayerNorm(tf.keras.layers.GroupNormalization):
    """Normalises each picture over its rows, columns and channels together.

    Then each channel has a gain (gamma) and a shift (beta). This is group normalisation with one
    group. Keras' own ``LayerNormalization`` is another function: over the channels of each pixel
    alone, or with a gamma as large as the picture.

    TensorFlow Addons has a ``GroupNormalization`` too, with equal results. Its development has
    ended, and Keras' is maintained. Hence Keras'.

    Always float32: in float16 the epsilon of 1e-12 is zero, and bfloat16 keeps 8 bits of a mean.
    The variance is the population's, and the epsilon stands inside the root.
    """

    def __init__(self, **kwargs: Any) -> None:
        # A saved config names a type, groups and epsilon too.
        super().__init__(**{**kwargs, "groups": 1, "epsilon": _EPSILON, "dtype": "float32"})

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[N, H, W, C] of any float type -> float32, the same shape.

        Keras' own call also makes a mask of ones as large as the picture and multiplies by it. That
        takes a quarter to a half more memory over a whole generator at inference.
        """
        mean = _mean(x)
        variance = _mean(tf.math.squared_difference(x, mean))
        return tf.nn.batch_normalization(x, mean, variance, self.beta, self.gamma, _EPSILON)


def _mean(x: tf.Tensor) -> tf.Tensor:
    """Each picture's mean, [N, 1, 1, 1]: of each row, then of the rows.

    TensorFlow Lite adds numbers one after the other. Over a whole picture of a million of them the
    float32 sum would lose four digits.
    """
    rows = tf.reduce_mean(x, axis=[2, 3], keepdims=True)
    return tf.reduce_mean(rows, axis=1, keepdims=True)
