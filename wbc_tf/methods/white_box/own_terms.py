"""Terms of our own, beside the paper's; all are off in the presets of paper and released code.

They train the embedded model, whose target is a drawn photo (`wbc_tf.ops.drawing`).
"""

from __future__ import annotations

import tensorflow as tf

from wbc_tf.losses.gradient_count import gradient_count
from wbc_tf.methods.white_box.config import WhiteBoxConfig

Terms = dict[str, tf.Tensor]


def own_terms(
    output: tf.Tensor, photo: tf.Tensor, target: tf.Tensor, config: WhiteBoxConfig
) -> Terms:
    """The terms with a weight, unweighted, by name.

    Args:
      output: [N, H, W, 3] RGB in [-1, 1].
      photo: [N, H, W, 3] RGB in [-1, 1], for its mean colour and its contrast.
      target: [N, H, W, 3] RGB in [-1, 1], what the content is held to.
      config: the weights.
    """
    functions = {
        "pixel": lambda: pixel_l1(output, target),
        "gradient": lambda: gradient_l1(output, target),
        "channel_mean": lambda: channel_mean_l1(output, photo),
        "contrast": lambda: contrast_l1(output, photo),
        "gradient_count": lambda: gradient_count(output),
    }
    return {name: make() for name, make in functions.items() if own_weight(name, config)}


def own_weight(name: str, config: WhiteBoxConfig) -> float:
    """The weight of a term of `own_terms`."""
    return float(getattr(config, f"{name}_weight"))


def pixel_total(output: tf.Tensor, target: tf.Tensor, config: WhiteBoxConfig) -> tf.Tensor:
    """What the pre-training on pixels learns from: bare L1 as released, or both terms weighted."""
    if not config.gradient_weight:
        return pixel_l1(output, target)
    gradient = config.gradient_weight * gradient_l1(output, target)
    return config.pixel_weight * pixel_l1(output, target) + gradient


def pixel_l1(images: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Mean difference of pixels: 0 to 2."""
    return tf.reduce_mean(tf.abs(images - target))


def gradient_l1(images: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Mean difference of the steps to the pixels below and to the right, both summed: 0 to 8.

    Xu et al., "Deep Edge-Aware Filters" (ICML 2015), section 3: a network learns to smooth from
    gradients, of which most should be zero, where pixels hardly tell a faint texture from none.
    """
    difference = tf.cast(images, tf.float32) - tf.cast(target, tf.float32)
    down = difference[:, 1:] - difference[:, :-1]
    across = difference[:, :, 1:] - difference[:, :, :-1]
    return tf.reduce_mean(tf.abs(down)) + tf.reduce_mean(tf.abs(across))


def channel_mean_l1(images: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Mean difference of the pictures' mean colours: 0 to 2, whatever the pictures show."""
    return tf.reduce_mean(tf.abs(tf.reduce_mean(images, [1, 2]) - tf.reduce_mean(target, [1, 2])))


def contrast_l1(images: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Mean difference of the channels' standard deviations over each picture: 0 to 1."""
    # The root's gradient has no bound at a picture of one colour. 1e-6 is 0.1 grey levels squared.
    deviations = [
        tf.sqrt(tf.math.reduce_variance(tf.cast(each, tf.float32), [1, 2]) + 1e-6)
        for each in (images, target)
    ]
    return tf.reduce_mean(tf.abs(deviations[0] - deviations[1]))
