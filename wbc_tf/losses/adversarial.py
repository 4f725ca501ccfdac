"""Adversarial losses on the logits of a patch discriminator.

A game is two functions: what it costs when pictures that should count as real get these logits, and
what it costs when pictures that should count as generated do. A discriminator's loss is a sum of
both over its kinds of pictures; a generator's is the first one, of its own output. Each returns an
unweighted float32 scalar, the mean over all patches of all pictures, so that the mean over equal
parts of a batch is the loss of the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


def lsgan_real(logits: tf.Tensor) -> tf.Tensor:
    """Least squares (Mao et al., ICCV 2017): the score should be 1."""
    return tf.reduce_mean(tf.square(_float32(logits) - 1.0))


def lsgan_fake(logits: tf.Tensor) -> tf.Tensor:
    """Least squares: the score should be 0."""
    return tf.reduce_mean(tf.square(_float32(logits)))


def log_real(logits: tf.Tensor) -> tf.Tensor:
    """-log D, with D the sigmoid of the logits.

    As a generator's loss this is the form whose gradient does not vanish while the discriminator
    wins (Goodfellow et al. 2014, section 3).
    """
    return tf.reduce_mean(tf.nn.softplus(-_float32(logits)))  # softplus: no log of a rounded zero


def log_fake(logits: tf.Tensor) -> tf.Tensor:
    """-log(1 - D)."""
    return tf.reduce_mean(tf.nn.softplus(_float32(logits)))


def _float32(logits: tf.Tensor) -> tf.Tensor:
    return tf.cast(logits, tf.float32)


class AdversarialLoss(NamedTuple):
    """One game: what logits cost that should say real, and those that should say generated."""

    real: Callable[[tf.Tensor], tf.Tensor]
    fake: Callable[[tf.Tensor], tf.Tensor]


ADVERSARIAL_LOSSES = {
    "lsgan": AdversarialLoss(lsgan_real, lsgan_fake),
    "log": AdversarialLoss(log_real, log_fake),
}
