"""Adversarial losses on the logits of a patch discriminator; real pictures are class one.

Each returns an unweighted float32 scalar, the mean over all patches of all pictures, so that the
mean over equal parts of a batch is the loss of the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


def lsgan_generator_loss(fake: tf.Tensor) -> tf.Tensor:
    """Least squares (Mao et al., ICCV 2017): the output should score 1."""
    return tf.reduce_mean(tf.square(_float32(fake) - 1.0))


def lsgan_discriminator_loss(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """Least squares: real pictures should score 1 and the output 0; half of the two errors' sum."""
    real_error = tf.reduce_mean(tf.square(_float32(real) - 1.0))
    fake_error = tf.reduce_mean(tf.square(_float32(fake)))
    return 0.5 * (real_error + fake_error)


def log_generator_loss(fake: tf.Tensor) -> tf.Tensor:
    """-log D(output), with D the sigmoid of the logits.

    The white-box paper (equations 1 and 5) writes log(1 - D(output)) for both players; this is the
    form with the same fixed point whose gradient does not vanish while the discriminator wins
    (Goodfellow et al. 2014, section 3), and the one in the authors' code.
    """
    return tf.reduce_mean(tf.nn.softplus(-_float32(fake)))  # softplus: no log of a rounded zero


def log_discriminator_loss(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """-log D(real) - log(1 - D(output)): the white-box paper's equations 1 and 5, negated."""
    real_error = tf.reduce_mean(tf.nn.softplus(-_float32(real)))
    fake_error = tf.reduce_mean(tf.nn.softplus(_float32(fake)))
    return real_error + fake_error


def _float32(logits: tf.Tensor) -> tf.Tensor:
    return tf.cast(logits, tf.float32)


class AdversarialLoss(NamedTuple):
    """One game: the generator's loss of (fake), the discriminator's of (real, fake)."""

    generator: Callable[[tf.Tensor], tf.Tensor]
    discriminator: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


ADVERSARIAL_LOSSES = {
    "lsgan": AdversarialLoss(lsgan_generator_loss, lsgan_discriminator_loss),
    "log": AdversarialLoss(log_generator_loss, log_discriminator_loss),
}
