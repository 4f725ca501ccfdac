"""White-box Cartoonization (Wang & Yu, CVPR 2020) as a trainable method: its networks and steps."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from wbc_tf.additions.terms import added_terms, pretrain_pixel_loss
from wbc_tf.layers.guided_filter import GuidedFilter
from wbc_tf.losses.perceptual import VggFeatures
from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.methods.white_box.data import WhiteBoxData
from wbc_tf.methods.white_box.discriminator import Discriminator
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.methods.white_box.objective import (
    adversarial_terms,
    discriminator_total,
    feature_l1,
    generator_total,
    reconstruction_terms,
)
from wbc_tf.methods.white_box.representations.structure import structure
from wbc_tf.methods.white_box.representations.surface import surface
from wbc_tf.methods.white_box.representations.texture import draw_color_weights, texture
from wbc_tf.training.method import Batch, GanMethod, step_log
from wbc_tf.training.optimization import make_optimizer, update


class WhiteBox(GanMethod):
    """A white-box run: networks, optimizers, data and the steps of both phases.

    Every random number of a step follows from (seed, step).

    Raises:
      ValueError, ImageFolderError, VggWeightsError, ModelNotFoundError: a config that names what
        is not there; the message says what.
    """

    config: WhiteBoxConfig

    def __init__(self, config: WhiteBoxConfig) -> None:
        super().__init__(config, exported=EXPORTED, data=WhiteBoxData(config))
        policy = tf.keras.mixed_precision.Policy(config.precision)
        self.surface_discriminator = _discriminator("surface", channels=3, dtype=policy)
        self.texture_discriminator = _discriminator("texture", channels=1, dtype=policy)
        self._output_filter = GuidedFilter(
            radius=config.output_filter_radius, eps=config.output_filter_eps
        )
        self._vgg = VggFeatures(
            config.vgg,
            config.vgg_layer,
            weights=config.vgg_weights,
            precision=config.precision,
        )
        self._discriminator_variables = (
            self.surface_discriminator.trainable_variables
            + self.texture_discriminator.trainable_variables
        )
        self._discriminator_optimizer = make_optimizer(
            config,
            self._discriminator_variables,
            rate=config.learning_rate * config.discriminator_rate,
        )

    def pretrain_rate(self) -> Any:
        """See `GanMethod.pretrain_rate`."""
        if not self.config.pretrain_decay:
            return None
        return tf.keras.optimizers.schedules.CosineDecay(
            self.config.learning_rate, max(self.config.pretrain_steps, 1)
        )

    def state(self) -> dict[str, Any]:
        """See `GanMethod.state`."""
        return {
            **super().state(),
            "surface_discriminator": self.surface_discriminator,
            "texture_discriminator": self.texture_discriminator,
            "discriminator_optimizer": self._discriminator_optimizer,
        }

    def sample(self, photos: tf.Tensor) -> dict[str, tf.Tensor]:
        """The output by the averaged weights, and what the losses see of it."""
        output = self._cartoonize(self.averaged_generator(), photos)
        columns = {
            "photo": photos,
            "output": output,
            "surface": self._surface(output),
            "structure": self._structure(output),
            "texture": tf.repeat(texture(output), 3, axis=-1),
        }
        return {name: tf.clip_by_value(images, -1.0, 1.0) for name, images in columns.items()}

    def pretrain_step(self, batch: Batch, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """Makes the generator give back what it is shown (section 3.4's initialisation).

        Without it the discriminators become perfect while the output is still noise. The generator
        then learns nothing, and its output ends as one colour.
        """
        config, target = self.config, batch["content"]
        variables = self.generator.trainable_variables
        # VGG's variables are not ours to move, and a tape that watched them would keep more.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            output = self.generator(batch["photo"])
            if config.pretrain_loss == "content":
                # Weighted, since Adam's epsilon is not small beside the bare loss's gradients.
                loss = config.content_weight * feature_l1(self._vgg(output), self._vgg(target))
            else:
                # Released: the raw output alone, since the filter would hide what the generator
                # has yet to learn.
                loss = pretrain_pixel_loss(
                    output,
                    target,
                    config,
                    filtered=lambda: self._output_filter((batch["photo"], output)),
                )
        norm = update(self.pretrain_optimizer, tape, loss, variables)
        return step_log("generator", loss, norm)

    def adversarial_step(self, batch: Batch, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """Makes the output look drawn and still show what the photo shows.

        The generator gets better at passing for a cartoon in surface and texture, at being its own
        structure map, and at keeping the photo's content; the discriminators get better at telling
        that very output from the cartoons. One forward pass serves both; the original runs three.
        """
        config = self.config
        photo, cartoon = batch["photo"], batch["cartoon"]
        color_weights = draw_color_weights(seed=config.seed, step=step)
        target_features = self._vgg(batch["content"])
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch([*self.generator.trainable_variables, *self._discriminator_variables])
            output = self._cartoonize(self.generator, photo)
            terms, discriminator_terms = adversarial_terms(
                output,
                cartoon,
                color_weights=color_weights,
                surface_discriminator=self.surface_discriminator,
                texture_discriminator=self.texture_discriminator,
                config=config,
            )
            terms |= reconstruction_terms(
                output,
                vgg=self._vgg,
                structure_map=self._structure,
                target_features=target_features,
                config=config,
            )
            terms |= added_terms(output, photo, batch["content"], config)
            loss = generator_total(terms, config)
            discriminator_loss = discriminator_total(discriminator_terms)
        norm = self.average.update(tape, loss)
        discriminator_norm = update(
            self._discriminator_optimizer, tape, discriminator_loss, self._discriminator_variables
        )
        return {
            **step_log("generator", loss, norm, terms),
            **step_log(
                "discriminator", discriminator_loss, discriminator_norm, discriminator_terms
            ),
        }

    def _cartoonize(self, generator: tf.keras.Model, photo: tf.Tensor) -> tf.Tensor:
        return self._output_filter((photo, generator(photo)))

    def _surface(self, images: tf.Tensor) -> tf.Tensor:
        return surface(images, radius=self.config.surface_radius, eps=self.config.surface_eps)

    def _structure(self, images: tf.Tensor) -> tf.Tensor:
        return structure(
            images, kind=self.config.structure, released=self.config.structure_released
        )


def _discriminator(name: str, *, channels: int, dtype: Any) -> Discriminator:
    network = Discriminator(name=f"{name}_discriminator", dtype=dtype)
    network(tf.zeros([1, 8, 8, channels]))
    return network
