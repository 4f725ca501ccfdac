"""Texture representation (paper section 3.3): one channel, so that colour gives nothing away."""

from __future__ import annotations

import tensorflow as tf

#: What a mean observer sees of red, green and blue (ITU-R BT.601), where the weights are centred.
LUMA = (0.299, 0.587, 0.114)
#: How far each weight is drawn to either side; the released code's.
SPREAD = 0.1


def draw_color_weights(*, seed: int, step: tf.Tensor | int) -> tf.Tensor:
    """The random colour shift of one step: weights for R, G and B that sum to one.

    Released code: uniform around `LUMA`, normalised. Equation 4 of the paper instead adds a plain
    luma, weighted 0.8, to three unnormalised shifts drawn from [-1, 1].

    Args:
      seed: of the run.
      step: of the run; the same (seed, step) gives the same weights on every replica.

    Returns:
      float32 [3].
    """
    center = tf.constant(LUMA)
    weights = tf.random.stateless_uniform(
        [3], tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)]), -SPREAD, SPREAD
    )
    weights += center
    return weights / tf.reduce_sum(weights)


def texture(images: tf.Tensor, color_weights: tf.Tensor | tuple[float, ...] = LUMA) -> tf.Tensor:
    """Mixes the channels to one, F_rcs in equation 4.

    Args:
      images: [N, H, W, 3] RGB in [-1, 1].
      color_weights: [3], of R, G and B, summing to one. The output and the cartoon it is compared
        with must be given the same, or the discriminator learns to tell the weights.

    Returns:
      float32 [N, H, W, 1] in [-1, 1].
    """
    weights = tf.convert_to_tensor(color_weights, tf.float32)
    return tf.reduce_sum(tf.cast(images, tf.float32) * weights, axis=-1, keepdims=True)
