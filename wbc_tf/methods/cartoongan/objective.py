"""What the CartoonGAN networks are trained on (paper section 3.2), term by term and summed.

Terms are unweighted float32 scalars by name, means over the batch; the weights are the config's.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from wbc_tf.layers.resize import resize_aligned
from wbc_tf.losses.adversarial import ADVERSARIAL_LOSSES, AdversarialLoss
from wbc_tf.losses.perceptual import content_l1
from wbc_tf.methods.cartoongan.config import CartoonGanConfig

Terms = dict[str, tf.Tensor]
Network = Callable[[tf.Tensor], tf.Tensor]


def generator_adversarial(output: tf.Tensor, *, kind: str) -> tf.Tensor:
    """What the discriminator's opinion of the output costs the generator.

    Args:
      output: logits of generated pictures, of any shape.
      kind: "lsgan": mean (D - 1)^2, as released. "bce": mean -log D. "minimax": mean log(1 - D),
        the paper's equation 3 to the letter.
    """
    if kind == "minimax":
        return -ADVERSARIAL_LOSSES["log"].fake(output)
    return _loss(kind).real(output)


def discriminator_terms(
    *, cartoon: tf.Tensor, edge_smoothed: tf.Tensor, output: tf.Tensor, kind: str
) -> Terms:
    """The edge-promoting loss (equation 3): cartoons count as real, and two others do not.

    Edge-smoothed cartoons have everything that cartoons have but clear edges, so these are what the
    discriminator must learn to see.

    Args:
      cartoon: logits of cartoons, of any shape.
      edge_smoothed: of cartoons with smoothed edges.
      output: of generated pictures.
      kind: see `generator_adversarial`; "bce" and "minimax" are the same here.
    """
    loss = _loss(kind)
    return {
        "cartoon": loss.real(cartoon),
        "edge_smoothed": loss.fake(edge_smoothed),
        "output": loss.fake(output),
    }


def content(output: tf.Tensor, photo: tf.Tensor, *, vgg: Network, size: int) -> tf.Tensor:
    """Mean absolute difference of VGG's features (equation 4).

    Args:
      output: [N, H, W, 3] RGB in [-1, 1].
      photo: the same.
      vgg: pictures -> features.
      size: side of the square pictures that VGG sees, or 0 for their own size.
    """
    target = tf.stop_gradient(vgg(vgg_view(photo, size)))
    return content_l1(vgg(vgg_view(output, size)), target)


def vgg_view(images: tf.Tensor, size: int) -> tf.Tensor:
    """Pictures as VGG is shown them: [N, H, W, 3] -> [N, size, size, 3], or as they are at 0."""
    return resize_aligned(images, size, size) if size else images


def generator_total(terms: Terms, config: CartoonGanConfig) -> tf.Tensor:
    """The weighted sum that the generator learns from (equation 2), of the terms that there are."""
    weights = {"adversarial": 1.0, "content": config.content_weight}
    return tf.add_n([weights[name] * term for name, term in terms.items()])


def discriminator_total(terms: Terms) -> tf.Tensor:
    """The plain sum that the discriminator learns from."""
    return tf.add_n(list(terms.values()))


def _loss(kind: str) -> AdversarialLoss:
    return ADVERSARIAL_LOSSES["lsgan" if kind == "lsgan" else "log"]
