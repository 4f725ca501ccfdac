"""What the white-box networks are trained on (paper section 3.4), term by term and summed.

Terms are unweighted float32 scalars by name, means over the batch; the weights are the config's.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from wbc_tf.losses.adversarial import ADVERSARIAL_LOSSES
from wbc_tf.losses.gradient_count import gradient_count
from wbc_tf.losses.perceptual import feature_l1
from wbc_tf.losses.total_variation import total_variation
from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.methods.white_box.representations.surface import surface
from wbc_tf.methods.white_box.representations.texture import texture

Terms = dict[str, tf.Tensor]
Network = Callable[[tf.Tensor], tf.Tensor]


def adversarial_terms(
    output: tf.Tensor,
    cartoon: tf.Tensor,
    *,
    color_weights: tf.Tensor,
    surface_discriminator: Network,
    texture_discriminator: Network,
    config: WhiteBoxConfig,
) -> tuple[Terms, Terms]:
    """Both games, each over its own representation of output and cartoon (equations 1 and 5).

    Args:
      output: [N, H, W, 3] RGB in [-1, 1].
      cartoon: [N, H, W, 3] RGB in [-1, 1].
      color_weights: [3], this step's; the same for output and cartoon.
      surface_discriminator: [N, H, W, 3] -> logits.
      texture_discriminator: [N, H, W, 1] -> logits.
      config: the kind of loss, and the surface's filter.

    Returns:
      The generator's terms and the discriminators', each "surface" and "texture".
    """

    def smooth(images: tf.Tensor) -> tf.Tensor:
        return surface(images, radius=config.surface_radius, eps=config.surface_eps)

    loss = ADVERSARIAL_LOSSES[config.adversarial]
    logits = {
        "surface": (surface_discriminator(smooth(cartoon)), surface_discriminator(smooth(output))),
        "texture": (
            texture_discriminator(texture(cartoon, color_weights)),
            texture_discriminator(texture(output, color_weights)),
        ),
    }
    generator = {name: loss.generator(fake) for name, (_, fake) in logits.items()}
    discriminator = {name: loss.discriminator(real, fake) for name, (real, fake) in logits.items()}
    return generator, discriminator


def reconstruction_terms(
    output: tf.Tensor,
    photo: tf.Tensor,
    target: tf.Tensor,
    *,
    output_features: tf.Tensor,
    structure_features: tf.Tensor,
    content_features: tf.Tensor,
) -> Terms:
    """What ties the output to the photo and to flat regions (equations 3, 7 and 8).

    Args:
      output: [N, H, W, 3] RGB in [-1, 1].
      photo: [N, H, W, 3] RGB in [-1, 1], for its mean colour and its contrast.
      target: [N, H, W, 3] RGB in [-1, 1], what the content is held to.
      output_features: VGG's, of the output.
      structure_features: of the output's structure map.
      content_features: of the content target.
    """
    return {
        "structure": feature_l1(output_features, structure_features),
        "content": feature_l1(output_features, content_features),
        "pixel": pixel_l1(output, target),
        "gradient": gradient_l1(output, target),
        "tv": total_variation(output),
        "channel_mean": channel_mean_l1(output, photo),
        "contrast": contrast_l1(output, photo),
        "gradient_count": gradient_count(output),
    }


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


def generator_total(terms: Terms, config: WhiteBoxConfig) -> tf.Tensor:
    """The weighted sum that the generator learns from (equation 6)."""
    return (
        config.surface_weight * terms["surface"]
        + config.texture_weight * terms["texture"]
        + config.structure_weight * terms["structure"]
        + config.content_weight * terms["content"]
        + config.pixel_weight * terms["pixel"]
        + config.gradient_weight * terms["gradient"]
        + config.tv_weight * terms["tv"]
        + config.channel_mean_weight * terms["channel_mean"]
        + config.contrast_weight * terms["contrast"]
        + config.gradient_count_weight * terms["gradient_count"]
    )


def discriminator_total(terms: Terms) -> tf.Tensor:
    """The sum that the discriminators learn from; each sees only its own term."""
    return terms["surface"] + terms["texture"]
