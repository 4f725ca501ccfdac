"""What the white-box networks are trained on (paper section 3.4), term by term and summed.

Terms are unweighted float32 scalars by name, means over the batch; the weights are the config's.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from wbc_tf.additions.terms import added_weights
from wbc_tf.losses.adversarial import ADVERSARIAL_LOSSES
from wbc_tf.losses.perceptual import content_l1
from wbc_tf.losses.total_variation import squared_steps
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
    # The released least squares halve the discriminators' two errors; the log loss sums them.
    share = 0.5 if config.adversarial == "lsgan" else 1.0
    logits = {
        "surface": (surface_discriminator(smooth(cartoon)), surface_discriminator(smooth(output))),
        "texture": (
            texture_discriminator(texture(cartoon, color_weights)),
            texture_discriminator(texture(output, color_weights)),
        ),
    }
    generator = {name: loss.real(fake) for name, (_, fake) in logits.items()}
    discriminator = {
        name: share * (loss.real(real) + loss.fake(fake)) for name, (real, fake) in logits.items()
    }
    return generator, discriminator


def reconstruction_terms(
    output: tf.Tensor,
    *,
    vgg: Network,
    structure_map: Network,
    target_features: tf.Tensor,
    config: WhiteBoxConfig,
) -> Terms:
    """What ties the output to the photo and to flat regions (equations 3, 7 and 8).

    A term of weight 0 is left out, and what it would need is not computed.

    Args:
      output: [N, H, W, 3] RGB in [-1, 1].
      vgg: pictures -> features.
      structure_map: pictures -> their structure representation, without a gradient.
      target_features: of the content target.
      config: the weights.
    """
    terms = {}
    if config.structure_weight or config.content_weight:
        features = vgg(output)
        if config.structure_weight:
            terms["structure"] = feature_l1(features, vgg(structure_map(output)))
        if config.content_weight:
            terms["content"] = feature_l1(features, target_features)
    if config.tv_weight:
        terms["tv"] = total_variation(output)
    return terms


def feature_l1(features: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference, divided once more by h * w * c of the feature maps.

    The paper's equations 3 and 8 with the released code's normaliser. The second division ties a
    weight to the layer and the size of the crops: 200, the released weight, at block4_conv4 (or
    VGG16's block4_conv3) and 256 pixels is 200 / (32 * 32 * 512) = 3.8e-4 times the mean
    difference; at block3_conv4 it is 200 / (64 * 64 * 256) = 1.9e-4 times one of another layer. To
    change the layer or the crops and keep the pull, scale the weight by the new h * w * c over the
    old one.

    Args:
      features: [N, h, w, c], any float type.
      target: the same shape.

    Returns:
      float32 scalar.
    """
    values = tf.reduce_prod(tf.shape(features)[1:])
    return content_l1(features, target) / tf.cast(values, tf.float32)


def total_variation(images: tf.Tensor) -> tf.Tensor:
    """Mean squared step between neighbours, down plus across, divided once more by H * W * 3.

    The released formula. The paper (equation 7) has the unsquared sum of both steps over H * W * C;
    the second division by the number of values is the code's own, and is why its weight is 1e4. A
    picture of twice the side therefore weighs a quarter.

    Args:
      images: [N, H, W, 3] in [-1, 1]; H and W at least 2.

    Returns:
      float32 scalar.
    """
    down, across = squared_steps(images)
    values = tf.reduce_prod(tf.shape(images)[1:])
    return (down + across) / tf.cast(values, tf.float32)


def generator_total(terms: Terms, config: WhiteBoxConfig) -> tf.Tensor:
    """The weighted sum that the generator learns from (equation 6), with added terms if any."""
    weights = {
        "surface": config.surface_weight,
        "texture": config.texture_weight,
        "structure": config.structure_weight,
        "content": config.content_weight,
        "tv": config.tv_weight,
        **added_weights(config),
    }
    return tf.add_n([weight * terms[name] for name, weight in weights.items() if weight])


def discriminator_total(terms: Terms) -> tf.Tensor:
    """The sum that the discriminators learn from; each sees only its own term."""
    return terms["surface"] + terms["texture"]
