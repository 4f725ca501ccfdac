"""Networks, data, steps, and what inference needs of the toy."""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf

from wbc_tf.artefact.exported import WHOLE, Exported
from wbc_tf.data.streams import Derived, Source
from wbc_tf.layers.layer_norm import LayerNorm
from wbc_tf.losses.adversarial import lsgan_fake, lsgan_real
from wbc_tf.training.data import FolderData
from wbc_tf.training.method import GanMethod
from wbc_tf.training.optimization import make_optimizer, update


class Network(tf.keras.Model):
    """Two convolutions, with the whole picture's mean and deviation between them."""

    def __init__(self, channels: int, dtype: Any = "float32") -> None:
        super().__init__(dtype=dtype)
        self.channels = channels
        conv = partial(tf.keras.layers.Conv2D, padding="same", dtype=dtype)
        # Variables are found by these names; Keras' own count up with every network made.
        self.first = conv(channels, 3, name="first")
        self.norm = LayerNorm(name="norm")
        self.last = conv(3, 3, name="last")

    def call(self, pictures: tf.Tensor) -> tf.Tensor:
        hidden = tf.nn.relu(self.norm(self.first(pictures)))
        return tf.tanh(tf.cast(self.last(hidden), tf.float32))

    def get_config(self) -> dict[str, Any]:
        return {"channels": self.channels}


def build(*, channels: int, dtype: Any = "float32") -> Network:
    network = Network(channels, dtype)
    network(tf.zeros([1, 8, 8, 3]))
    return network


def coefficients(generator: Network, photo: tf.Tensor, strength: Any, delta: Any) -> tuple:
    return tf.ones_like(photo) - strength, strength * generator(photo)


EXPORTED = Exported(
    method="toy",
    build=build,
    coefficients=coefficients,
    reach=lambda generator: WHOLE,
    bytes_per_pixel=lambda generator: 100,
    short_side=48,
)


class ToyData(FolderData):
    def __init__(self, config: Any) -> None:
        super().__init__(config, sides=config.crop_sides)
        self.sources = {
            "photo": Source(self.sampler(config.photo_dir, "photo")),
            "cartoon": Source(self.sampler(config.cartoon_dir, "cartoon")),
        }
        self.derived = {"grey": Derived("cartoon", lambda cartoons, _: 0.5 * cartoons)}


class Toy(GanMethod):
    def __init__(self, config: Any) -> None:
        super().__init__(config, exported=EXPORTED, data=ToyData(config))
        self.discriminator = build(channels=config.channels)
        self.optimizer = make_optimizer(config, self.discriminator.trainable_variables)

    def state(self) -> dict[str, Any]:
        own = {"discriminator": self.discriminator, "discriminator_optimizer": self.optimizer}
        return {**super().state(), **own}

    def sample(self, photos: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"photo": photos, "output": self.averaged_generator()(photos)}

    def pretrain_step(self, batch: Any, step: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(self.generator(batch["photo"]) - batch["photo"]))
        update(self.pretrain_optimizer, tape, loss, self.generator.trainable_variables)
        return {"generator_loss": loss}

    def adversarial_step(self, batch: Any, step: tf.Tensor) -> dict[str, tf.Tensor]:
        look = self.discriminator
        with tf.GradientTape(persistent=True) as tape:
            output = self.generator(batch["photo"])
            loss = lsgan_real(look(output))
            told = lsgan_real(look(batch["cartoon"])) + lsgan_fake(look(batch["grey"]))
            told += lsgan_fake(look(output))
        self.average.update(tape, loss)
        update(self.optimizer, tape, told, look.trainable_variables)
        return {"generator_loss": loss, "discriminator_loss": told}
