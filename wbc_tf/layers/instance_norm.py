"""Instance normalisation, as the frameworks that use it compute it."""

from __future__ import annotations

import warnings

import tensorflow as tf

with warnings.catch_warnings():
    # It says at each import that its development has ended; our versions are pinned.
    warnings.filterwarnings("ignore", category=UserWarning, module="tensorflow_addons")
    from tensorflow_addons.layers import InstanceNormalization

#: Inside the root, on the variance. TensorFlow Addons' own default, 1e-3, is another picture.
EPSILON = 1e-5


def instance_norm(
    name: str, gamma_initializer: str | tf.keras.initializers.Initializer = "ones"
) -> tf.keras.layers.Layer:
    """A layer that gives each picture and channel its own mean and deviation.

    ``(x - mean) / sqrt(variance + 1e-5) * gamma + beta``, the variance over H * W pixels. The same
    in training and afterwards. It computes in float32 under every precision policy: in bfloat16 the
    statistics are too coarse, and the picture of a deep generator is lost.

    Args:
      name: of the layer.
      gamma_initializer: start values of the scale; the shift `beta` starts at 0.

    Returns:
      A Keras layer: [N, H, W, C] of any float type -> float32, the same shape.
    """
    return InstanceNormalization(
        epsilon=EPSILON, gamma_initializer=gamma_initializer, name=name, dtype="float32"
    )
