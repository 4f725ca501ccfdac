"""The losses that we add to a method's objective; see `wbc_tf.additions`."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from wbc_tf.additions.config import AddedFields
from wbc_tf.losses.gradient_count import gradient_count

Terms = dict[str, tf.Tensor]


#: The terms by name; each has a weight of that name in the config.
NAMES = ("pixel", "gradient", "channel_mean", "contrast", "gradient_count")


def added_terms(
    output: tf.Tensor, photo: tf.Tensor, target: tf.Tensor, config: AddedFields
) -> Terms:
    """Those of `NAMES` whose weight is not 0, unweighted float32 scalars.

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
    weights = added_weights(config)
    return {name: functions[name]() for name in NAMES if weights[name]}


def added_weights(config: AddedFields) -> dict[str, float]:
    """The weight of each of `NAMES`."""
    return {name: float(getattr(config, f"{name}_weight")) for name in NAMES}


def pretrain_pixel_loss(
    output: tf.Tensor,
    target: tf.Tensor,
    config: AddedFields,
    *,
    filtered: Callable[[], tf.Tensor],
) -> tf.Tensor:
    """What the pre-training on pixels learns from; by default the L1 of the generator's output.

    Args:
      output: of the generator itself, [N, H, W, 3] RGB in [-1, 1].
      target: the same shape.
      config: the weights.
      filtered: makes the output behind the guided filter, where it has a weight.
    """
    loss = config.raw_weight * pixel_total(output, target, config)
    if config.filtered_weight:
        loss += config.filtered_weight * pixel_total(filtered(), target, config)
    return loss


def pixel_total(output: tf.Tensor, target: tf.Tensor, config: AddedFields) -> tf.Tensor:
    """The bare L1 as released; or, where gradients have a weight, both terms weighted."""
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
