"""White-box Cartoonization (Wang & Yu, CVPR 2020) as a trainable method: its networks and steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from wbc_tf.layers.guided_filter import GuidedFilter
from wbc_tf.losses.perceptual import VggFeatures, feature_l1
from wbc_tf.methods.white_box import serving
from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.methods.white_box.data import WhiteBoxData
from wbc_tf.methods.white_box.discriminator import Discriminator
from wbc_tf.methods.white_box.generator import Generator, build_generator
from wbc_tf.methods.white_box.objective import (
    adversarial_terms,
    discriminator_total,
    generator_total,
    pixel_total,
    reconstruction_terms,
)
from wbc_tf.methods.white_box.representations.structure import structure
from wbc_tf.methods.white_box.representations.surface import surface
from wbc_tf.methods.white_box.representations.texture import draw_color_weights, texture
from wbc_tf.training.method import Batch, Phase

#: Under mixed_float16. Keras' own 2^15 lets the gradients of content and structure, divided twice
#: by the number of features, vanish at large crops; an overflow costs a skipped step and halves it.
INITIAL_LOSS_SCALE = 2.0**24


class WhiteBox:
    """A white-box run: networks, optimizers, data and the steps of both phases.

    Must be built inside the strategy's scope. Every draw in a step follows from (seed, step); the
    first weights follow from the seed, for which TensorFlow's, NumPy's and Python's global random
    states are set.

    Raises:
      ValueError, ImageFolderError, VggWeightsError, ModelNotFoundError: a config that names what
        is not there; the message says what.
    """

    name = serving.METHOD

    def __init__(self, config: WhiteBoxConfig) -> None:
        self.config = config
        self.batch_size = config.batch_size
        self._data = WhiteBoxData(config)
        self._strategy = tf.distribute.get_strategy()
        tf.keras.utils.set_random_seed(config.seed)
        policy = tf.keras.mixed_precision.Policy(config.precision)
        self.generator = build_generator(bound=config.bound_output, dtype=policy)
        self.surface_discriminator = _discriminator("surface", channels=3, dtype=policy)
        self.texture_discriminator = _discriminator("texture", channels=1, dtype=policy)
        # What is shown and exported, always float32. Never in a checkpoint: it follows from one.
        self._shown = build_generator(bound=config.bound_output, dtype="float32")
        self._output_filter = GuidedFilter(
            radius=config.output_filter_radius, eps=config.output_filter_eps
        )
        self._vgg = VggFeatures(
            config.vgg,
            config.vgg_layer,
            weights=config.vgg_weights,
            precision=config.precision,
        )
        if config.initial_model:
            initial = serving.load_generator(config.initial_model)
            self.generator.set_weights(initial.get_weights())
        self._discriminator_variables = (
            self.surface_discriminator.trainable_variables
            + self.texture_discriminator.trainable_variables
        )
        self._pretrain_optimizer = self._optimizer(self.generator.trainable_variables)
        self._discriminator_optimizer = self._optimizer(
            self._discriminator_variables, rate=config.discriminator_rate
        )
        # Keras starts a moving average from the weights at building, here the random ones before
        # the pre-training. Started from zero instead, it can be freed of its start as Adam frees
        # its moments (Kingma & Ba, ICLR 2015, section 3); `averaged_generator` does.
        weights = self.generator.get_weights()
        self.generator.set_weights([np.zeros_like(weight) for weight in weights])
        self._generator_optimizer = self._optimizer(
            self.generator.trainable_variables, use_ema=True, ema_momentum=config.ema_momentum
        )
        self.generator.set_weights(weights)

    def phases(self) -> Sequence[Phase]:
        """Pre-training, then the adversarial game."""
        return (
            Phase("pretrain", self.config.pretrain_steps, self._pretrain_step),
            Phase("adversarial", self.config.steps, self._adversarial_step),
        )

    def state(self) -> dict[str, Any]:
        """Networks and optimizers of both phases; the moving average is the optimizer's."""
        return {
            "generator": self.generator,
            "surface_discriminator": self.surface_discriminator,
            "texture_discriminator": self.texture_discriminator,
            "pretrain_optimizer": self._pretrain_optimizer,
            "generator_optimizer": self._generator_optimizer,
            "discriminator_optimizer": self._discriminator_optimizer,
        }

    def batches(self, *, start_step: int) -> tf.data.Dataset:
        """See `WhiteBoxData.batches`."""
        return self._data.batches(start_step=start_step)

    def sample_photos(self) -> tf.Tensor:
        """See `WhiteBoxData.sample_photos`."""
        return self._data.sample_photos()

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

    def averaged_generator(self) -> Generator:
        """The generator under the moving average of its weights over the adversarial steps.

        Before the first of these it has the weights themselves. In float32, one object at all
        calls.
        """
        weights = self.generator.get_weights()
        optimizer = _inner(self._generator_optimizer)
        steps = int(optimizer.iterations.numpy())
        if steps == 0:
            self._shown.set_weights(weights)
            return self._shown
        with self._strategy.scope():
            # Keras hands the average out only by overwriting the weights with it.
            optimizer.finalize_variable_values(self.generator.trainable_variables)
            average = self.generator.get_weights()
            self.generator.set_weights(weights)
        seen = 1.0 - self.config.ema_momentum**steps
        self._shown.set_weights([weight / seen for weight in average])
        return self._shown

    def export(self, directory: Path) -> None:
        """Writes the averaged generator as a model directory."""
        steps = int(_inner(self._generator_optimizer).iterations.numpy())
        metadata = {
            "licence": "not stated; the training pictures' licences may set limits",
            "origin": f"trained for {steps} adversarial steps",
        }
        serving.save(self.averaged_generator(), directory, metadata=metadata)

    def _pretrain_step(self, batch: Batch, _: tf.Tensor) -> dict[str, tf.Tensor]:
        """Makes the generator give back what it is shown (section 3.4's initialisation).

        Without it the discriminators win before there is a picture to speak of, and the output
        ends as one colour.
        """
        config = self.config
        target = batch["content"]
        variables = self.generator.trainable_variables
        # VGG's variables are not ours to move, and a tape that watched them would keep more.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            # No guided filter, as released: it would hide what the generator has yet to learn.
            output = self.generator(batch["photo"])
            if config.pretrain_loss == "content":
                # Weighted, since Adam's epsilon is not small beside the bare loss's gradients.
                loss = config.content_weight * feature_l1(self._vgg(output), self._vgg(target))
            else:
                loss = pixel_total(output, target, config)
        norm = _update(self._pretrain_optimizer, tape, loss, variables)
        return {"generator_loss": loss, "gradient_norm/generator": norm}

    def _adversarial_step(self, batch: Batch, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """Makes the output look drawn and still show what the photo shows.

        The generator gets better at passing for a cartoon in surface and texture, at being its own
        structure map, and at keeping the photo's content; the discriminators get better at telling
        that very output from the cartoons. One forward pass serves both; the original runs three.
        """
        config = self.config
        photo, cartoon = batch["photo"], batch["cartoon"]
        color_weights = draw_color_weights(seed=config.seed, step=step)
        content_features = self._vgg(batch["content"])
        variables = self.generator.trainable_variables
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch([*variables, *self._discriminator_variables])
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
                photo,
                batch["content"],
                output_features=self._vgg(output),
                structure_features=self._vgg(self._structure(output)),
                content_features=content_features,
            )
            loss = generator_total(terms, config)
            discriminator_loss = discriminator_total(discriminator_terms)
        norm = _update(self._generator_optimizer, tape, loss, variables)
        discriminator_norm = _update(
            self._discriminator_optimizer, tape, discriminator_loss, self._discriminator_variables
        )
        return {
            "generator_loss": loss,
            "discriminator_loss": discriminator_loss,
            **{f"generator/{name}": term for name, term in terms.items()},
            **{f"discriminator/{name}": term for name, term in discriminator_terms.items()},
            "gradient_norm/generator": norm,
            "gradient_norm/discriminator": discriminator_norm,
        }

    def _cartoonize(self, generator: Generator, photo: tf.Tensor) -> tf.Tensor:
        return self._output_filter((photo, generator(photo)))

    def _surface(self, images: tf.Tensor) -> tf.Tensor:
        return surface(images, radius=self.config.surface_radius, eps=self.config.surface_eps)

    def _structure(self, images: tf.Tensor) -> tf.Tensor:
        return structure(
            images, kind=self.config.structure, released=self.config.structure_released
        )

    def _optimizer(
        self, variables: Sequence[tf.Variable], *, rate: float = 1.0, **options: Any
    ) -> Any:
        config = self.config
        optimizer = tf.keras.optimizers.Adam(
            config.learning_rate * rate,
            beta_1=config.beta_1,
            beta_2=config.beta_2,
            epsilon=1e-8,  # TensorFlow 1's, which the released code leaves as it is; Keras has 1e-7
            jit_compile=False,  # XLA fails on GPUs whose CUDA came without libdevice, for no gain
            **options,
        )
        if config.precision == "mixed_float16":
            optimizer = tf.keras.mixed_precision.LossScaleOptimizer(
                optimizer, initial_scale=INITIAL_LOSS_SCALE
            )
        optimizer.build(variables)
        return optimizer


#: What the registry of methods asks a module for.
Config = WhiteBoxConfig
build = WhiteBox


def _discriminator(name: str, *, channels: int, dtype: Any) -> Discriminator:
    network = Discriminator(name=f"{name}_discriminator", dtype=dtype)
    network(tf.zeros([1, 8, 8, channels]))
    return network


def _inner(optimizer: Any) -> Any:
    return getattr(optimizer, "inner_optimizer", optimizer)


def _update(
    optimizer: Any, tape: tf.GradientTape, loss: tf.Tensor, variables: Sequence[tf.Variable]
) -> tf.Tensor:
    """Moves the variables against a loss; returns its gradient's L2 norm.

    The loss is a mean over the replica's part of the batch, and Keras *sums* gradients over the
    replicas: hence each takes its share of one. Where loss scaling overflowed, Keras leaves the
    step out and lowers the scale; the norm is then 0. Once the scale is at its end, it is the
    gradients that are broken, and the norm says so.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    share = tf.constant(1.0 / replicas)
    if _inner(optimizer) is optimizer:
        gradients = tape.gradient(loss, variables, output_gradients=share)
    else:
        share = optimizer.get_scaled_loss(share)
        gradients = tape.gradient(loss, variables, output_gradients=share)
        gradients = optimizer.get_unscaled_gradients(gradients)
    norm = tf.linalg.global_norm(gradients) * replicas
    if _inner(optimizer) is not optimizer:
        overflow = ~tf.math.is_finite(norm) & (optimizer.loss_scale > 1.0)
        norm = tf.where(overflow, 0.0, norm)
    optimizer.apply_gradients(zip(gradients, variables))
    return norm
