"""AnimeGANv2 (Chen, Liu & Chen, ISICA 2019, version 2) as a trainable method."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from wbc_tf.losses.perceptual import VggFeatures, content_l1
from wbc_tf.methods.animegan_v2.config import AnimeGanV2Config
from wbc_tf.methods.animegan_v2.data import AnimeGanV2Data
from wbc_tf.methods.animegan_v2.discriminator import build_discriminator
from wbc_tf.methods.animegan_v2.exported import EXPORTED
from wbc_tf.methods.animegan_v2.objective import (
    Terms,
    discriminator_terms,
    discriminator_total,
    generator_terms,
    generator_total,
)
from wbc_tf.training.method import Batch, GanMethod, step_log
from wbc_tf.training.optimization import make_optimizer, update


class AnimeGanV2(GanMethod):
    """An AnimeGANv2 run: networks, three optimizers with moments of their own, data, both steps.

    Nothing in a step is random.

    Raises:
      ValueError, ImageFolderError, VggWeightsError, ModelNotFoundError: a config that names what
        is not there; the message says what.
    """

    config: AnimeGanV2Config

    def __init__(self, config: AnimeGanV2Config) -> None:
        super().__init__(config, exported=EXPORTED, data=AnimeGanV2Data(config))
        policy = tf.keras.mixed_precision.Policy(config.precision)
        self.discriminator = build_discriminator(dtype=policy)
        self._vgg = VggFeatures(
            config.vgg, config.vgg_layer, weights=config.vgg_weights, precision=config.precision
        )
        self._discriminator_optimizer = make_optimizer(
            config,
            self.discriminator.trainable_variables,
            rate=config.discriminator_learning_rate,
        )

    def pretrain_rate(self) -> float:
        """See `GanMethod.pretrain_rate`."""
        return self.config.pretrain_learning_rate

    def state(self) -> dict[str, Any]:
        """See `GanMethod.state`."""
        return {
            **super().state(),
            "discriminator": self.discriminator,
            "discriminator_optimizer": self._discriminator_optimizer,
        }

    def sample(self, photos: tf.Tensor) -> dict[str, tf.Tensor]:
        """The output by the averaged weights."""
        return {"photo": photos, "output": self.averaged_generator()(photos)}

    def pretrain_step(self, batch: Batch, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """Makes the generator keep the photo's content, and nothing else.

        So the adversarial steps begin with pictures in which the photo can be seen.
        """
        photo, variables = batch["photo"], self.generator.trainable_variables
        # VGG's variables are not ours to move, and a tape that watched them would keep more.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            content = content_l1(self._vgg(self.generator(photo)), self._vgg(photo))
            loss = self.config.content_weight * content
        norm = update(self.pretrain_optimizer, tape, loss, variables)
        return step_log("generator", loss, norm)

    def adversarial_step(self, batch: Batch, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """Makes the discriminator tell styles better, then the output pass for one.

        Both learn from the same batch, and the generator meets the discriminator as it has just
        become.
        """
        photo = batch["photo"]
        photo_features, gray_features = self._vgg(photo), self._vgg(batch["anime_gray"])
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.generator.trainable_variables)
            output = self.generator(photo)
            with tape.stop_recording():
                log = self._discriminator_step(batch, output)
            terms = generator_terms(
                output,
                logits=self.discriminator(output),
                photo=photo,
                photo_features=photo_features,
                gray_features=gray_features,
                vgg=self._vgg,
            )
            loss = generator_total(terms, self.config)
        norm = self.average.update(tape, loss)
        return {**step_log("generator", loss, norm, terms), **log}

    def _discriminator_step(self, batch: Batch, output: tf.Tensor) -> dict[str, tf.Tensor]:
        variables = self.discriminator.trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            terms = self._discriminator_terms(batch, output)
            loss = discriminator_total(terms, self.config)
        norm = update(self._discriminator_optimizer, tape, loss, variables)
        return step_log("discriminator", loss, norm, terms)

    def _discriminator_terms(self, batch: Batch, output: tf.Tensor) -> Terms:
        # One pass for the four kinds, and so one power iteration; the original has up to four. No
        # picture knows of another in the batch: layer norm is each picture's own.
        kinds = (batch["anime"], output, batch["anime_gray"], batch["smooth_gray"])
        logits = tf.split(self.discriminator(tf.concat(kinds, axis=0)), len(kinds))
        return discriminator_terms(**dict(zip(("anime", "generated", "gray", "smooth"), logits)))
