"""What AnimeGANv2's networks are trained on, term by term and summed.

Terms are unweighted float32 scalars by name, means over the batch; the weights are the config's.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from wbc_tf.losses.adversarial import ADVERSARIAL_LOSSES
from wbc_tf.losses.perceptual import content_l1
from wbc_tf.losses.total_variation import squared_steps
from wbc_tf.methods.animegan_v2.config import AnimeGanV2Config

Terms = dict[str, tf.Tensor]
Network = Callable[[tf.Tensor], tf.Tensor]

_LSGAN = ADVERSARIAL_LOSSES["lsgan"]

# Rows Y, U and V, columns R, G and B; without an offset for U and V.
_RGB_TO_YUV = (
    (0.299, 0.587, 0.114),
    (-0.14714119, -0.28886916, 0.43601035),
    (0.61497538, -0.51496512, -0.10001026),
)


def discriminator_terms(
    *, anime: tf.Tensor, generated: tf.Tensor, gray: tf.Tensor, smooth: tf.Tensor
) -> Terms:
    """Least squares: only a colour picture of the style should count as real.

    Args:
      anime: logits of pictures of the style.
      generated: of the generator's output.
      gray: of pictures of the style in grey, so that grey output does not pass.
      smooth: of pictures of the style in grey with blurred edges, so that blurred output does not.
    """
    return {
        "anime": _LSGAN.real(anime),
        "generated": _LSGAN.fake(generated),
        "gray": _LSGAN.fake(gray),
        "smooth": _LSGAN.fake(smooth),
    }


def discriminator_total(terms: Terms, config: AnimeGanV2Config) -> tf.Tensor:
    """The weighted sum that the discriminator learns from."""
    return config.adversarial_weight * (
        config.anime_weight * terms["anime"]
        + config.generated_weight * terms["generated"]
        + config.gray_weight * terms["gray"]
        + config.smooth_weight * terms["smooth"]
    )


def generator_terms(
    output: tf.Tensor,
    *,
    logits: tf.Tensor,
    photo: tf.Tensor,
    photo_features: tf.Tensor,
    gray_features: tf.Tensor,
    vgg: Network,
) -> Terms:
    """What the generator is held to.

    Args:
      output: [N, H, W, 3] RGB in [-1, 1].
      logits: the discriminator's, of the output.
      photo: [N, H, W, 3] RGB in [-1, 1].
      photo_features: VGG's, of the photo.
      gray_features: VGG's, of pictures of the style in grey.
      vgg: [N, H, W, 3] -> features.
    """
    features = vgg(output)
    return {
        "adversarial": _LSGAN.real(logits),
        "content": content_l1(features, photo_features),
        "style": style_l1(features, gray_features),
        "color": color_difference(output, photo),
        "tv": total_variation(output),
    }


def generator_total(terms: Terms, config: AnimeGanV2Config) -> tf.Tensor:
    """The weighted sum that the generator learns from."""
    return (
        config.adversarial_weight * terms["adversarial"]
        + config.content_weight * terms["content"]
        + config.style_weight * terms["style"]
        + config.color_weight * terms["color"]
        + config.tv_weight * terms["tv"]
    )


def style_l1(features: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference of the features' Gram matrices.

    The style pictures come in grey: the Gram matrix is to tell strokes and textures, and the
    colours are to be the photo's.

    Args:
      features: [N, h, w, c], any float type.
      target: [M, h', w', c] with M = N.

    Returns:
      float32 scalar.
    """
    return tf.reduce_mean(tf.abs(gram_matrix(features) - gram_matrix(target)))


def gram_matrix(features: tf.Tensor) -> tf.Tensor:
    """Products of all pairs of channels, summed over the picture, divided by h * w * c.

    Args:
      features: [N, h, w, c], any float type.

    Returns:
      float32 [N, c, c].
    """
    features = tf.cast(features, tf.float32)
    values = tf.cast(tf.reduce_prod(tf.shape(features)[1:]), tf.float32)
    rows = tf.reshape(features, [tf.shape(features)[0], -1, features.shape[-1]])
    return tf.matmul(rows, rows, transpose_a=True) / values


def color_difference(images: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Difference of colours in YUV: mean absolute of Y, plus Huber of U and of V.

    Args:
      images: [N, H, W, 3] RGB in [-1, 1].
      target: the same shape.

    Returns:
      float32 scalar.
    """
    y, u, v = tf.unstack(to_yuv(images) - to_yuv(target), axis=-1)
    return tf.reduce_mean(tf.abs(y)) + _huber(u) + _huber(v)


def to_yuv(images: tf.Tensor) -> tf.Tensor:
    """RGB in [-1, 1] -> Y in [0, 1], U and V around 0, float32 of the same shape."""
    levels = (tf.cast(images, tf.float32) + 1.0) / 2.0
    return tf.tensordot(levels, tf.constant(_RGB_TO_YUV), axes=[[-1], [1]])


def _huber(difference: tf.Tensor) -> tf.Tensor:
    """Mean of half the square up to 1, of the absolute value less a half above it."""
    size = tf.abs(difference)
    return tf.reduce_mean(tf.where(size <= 1.0, tf.square(size) / 2.0, size - 0.5))


def total_variation(images: tf.Tensor) -> tf.Tensor:
    """Mean squared difference to the pixel below and to the one on the right, half of each."""
    down, across = squared_steps(images)
    return (down + across) / 2.0
