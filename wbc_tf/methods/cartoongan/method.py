"""CartoonGAN (Chen, Lai, Liu, CVPR 2018) as a trainable method: its networks and steps."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from wbc_tf.losses.perceptual import VggFeatures
from wbc_tf.methods.cartoongan.config import CartoonGanConfig
from wbc_tf.methods.cartoongan.data import CartoonGanData
from wbc_tf.methods.cartoongan.discriminator import Discriminator
from wbc_tf.methods.cartoongan.exported import EXPORTED
from wbc_tf.methods.cartoongan.generator import LEAST_SIDE
from wbc_tf.methods.cartoongan.objective import (
    content,
    discriminator_terms,
    discriminator_total,
    generator_adversarial,
    generator_total,
)
from wbc_tf.training.method import Batch, GanMethod, step_log
from wbc_tf.training.optimization import make_optimizer, update


class LinearDecay(tf.keras.optimizers.schedules.LearningRateSchedule):
    """A rate that stays, then falls to zero in a straight line.

    Args:
      rate: at the start.
      steps: of the whole phase.
      decay: share of the phase, at its end, in which it falls; 0 leaves it as it is.
    """

    def __init__(self, rate: float, *, steps: int, decay: float) -> None:
        self._rate, self._steps, self._decay = rate, steps, decay

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The rate of a step, counted from 0."""
        if not self._decay * self._steps:
            return tf.constant(self._rate)
        left = (self._steps - tf.cast(step, tf.float32)) / (self._decay * self._steps)
        return self._rate * tf.clip_by_value(left, 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"rate": self._rate, "steps": self._steps, "decay": self._decay}


class ImagePool(tf.Module):
    """Earlier outputs, so that the discriminator does not forget what it has learnt to see.

    Shrivastava et al. (CVPR 2017), section 2.3, as in the first author's program: whole batches are
    kept. While there is room, a batch is put in and shown. Later it is shown as it is, or by chance
    (one half) takes the place of an earlier one, which is shown in its stead. Built inside the
    strategy's scope; all replicas hold the same pictures.

    Args:
      size: batches kept, 1 or more.
      shape: of a whole batch over all replicas.
      seed: of the run.
    """

    def __init__(self, size: int, shape: tuple[int, ...], *, seed: int) -> None:
        super().__init__()
        self._size, self._seed = size, seed
        # In half precision, 11 bits for pictures of 8, since it is much the largest part of a
        # checkpoint: 157 MB at the default settings.
        self._kept = tf.Variable(
            tf.zeros([size, *shape], tf.float16),
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def swap(self, output: tf.Tensor, *, step: tf.Tensor) -> tf.Tensor:
        """A replica's part of the batch that the discriminator is to see; same shape, float32.

        Args:
          output: the replica's part of this step's batch.
          step: int64, of the adversarial phase, counted from 0; every random number follows from
            the seed and from it.
        """
        replica = tf.distribute.get_replica_context()
        batch = tf.cast(tf.stop_gradient(output), tf.float16)
        batch = replica.all_gather(batch, axis=0)
        seed = tf.stack([tf.constant(self._seed, tf.int64), step])
        place, coin = tf.unstack(tf.random.stateless_uniform([2], seed))
        filling = step < self._size
        slot = tf.where(filling, tf.cast(step, tf.int32), tf.cast(place * self._size, tf.int32))
        swapped = ~filling & (coin < 0.5)
        earlier = self._kept[slot]
        kept = tf.where(filling | swapped, batch, earlier)
        shown = tf.where(swapped, earlier, batch)
        with tf.control_dependencies([earlier]):
            self._kept.scatter_update(tf.IndexedSlices(kept[tf.newaxis], [slot]))
        rows = tf.shape(output)[0]
        first = replica.replica_id_in_sync_group * rows
        return tf.cast(shown[first : first + rows], tf.float32)


class CartoonGan(GanMethod):
    """A CartoonGAN run: networks, optimizers, data and the steps of both phases.

    Every random number of a step follows from (seed, step).

    Raises:
      ValueError, ImageFolderError, VggWeightsError, ModelNotFoundError: a config that names what
        is not there; the message says what.
    """

    config: CartoonGanConfig

    def __init__(self, config: CartoonGanConfig) -> None:
        rate = LinearDecay(config.learning_rate, steps=config.steps, decay=config.decay)
        super().__init__(config, exported=EXPORTED, data=CartoonGanData(config), rate=rate)
        self.discriminator = Discriminator(
            channels=config.discriminator_channels,
            dtype=tf.keras.mixed_precision.Policy(config.precision),
        )
        self.discriminator(tf.zeros([1, LEAST_SIDE, LEAST_SIDE, 3]))
        self._discriminator_optimizer = make_optimizer(
            config, self.discriminator.trainable_variables, rate=rate
        )
        self._vgg = VggFeatures(
            config.vgg, config.vgg_layer, weights=config.vgg_weights, precision=config.precision
        )
        self._pool = None
        if config.image_pool:
            shape = (config.batch_size, config.patch_size, config.patch_size, 3)
            self._pool = ImagePool(config.image_pool, shape, seed=config.seed)

    def pretrain_rate(self) -> LinearDecay:
        """See `GanMethod.pretrain_rate`."""
        config = self.config
        return LinearDecay(
            config.pretrain_learning_rate, steps=config.pretrain_steps, decay=config.decay
        )

    def state(self) -> dict[str, Any]:
        """See `GanMethod.state`."""
        pool = {} if self._pool is None else {"image_pool": self._pool}
        return {
            **super().state(),
            "discriminator": self.discriminator,
            "discriminator_optimizer": self._discriminator_optimizer,
            **pool,
        }

    def sample(self, photos: tf.Tensor) -> dict[str, tf.Tensor]:
        """The output by the averaged weights beside the photos."""
        return {"photo": photos, "output": self.averaged_generator()(photos)}

    def pretrain_step(self, batch: Batch, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """Makes the generator give back what the photo shows (section 3.3's initialisation).

        On content alone, so that the adversarial steps start from a picture and not from noise.
        """
        # VGG's variables are not ours to move, and a tape that watched them would keep more.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.generator.trainable_variables)
            output = self.generator(batch["photo"])
            loss = self.config.content_weight * self._content(output, batch["photo"])
        norm = update(self.pretrain_optimizer, tape, loss, self.generator.trainable_variables)
        return step_log("generator", loss, norm)

    def adversarial_step(self, batch: Batch, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """Makes the output pass for a cartoon and still show what the photo shows.

        The discriminator gets better at telling cartoons from outputs and from cartoons without
        clear edges. Both learn from one forward pass, so the generator meets the discriminator as
        it was before this step, as in the first author's program.
        """
        config, photo = self.config, batch["photo"]
        learning = self.discriminator.trainable_variables
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch([*self.generator.trainable_variables, *learning])
            output = self.generator(photo)
            logits = self.discriminator(output)
            terms = {"adversarial": generator_adversarial(logits, kind=config.adversarial)}
            if config.content_weight:
                terms["content"] = self._content(output, photo)
            judged = logits
            if self._pool is not None:
                earlier = self._pool.swap(output, step=step - config.pretrain_steps)
                judged = self.discriminator(earlier)
            against = discriminator_terms(
                cartoon=self.discriminator(batch["cartoon"]),
                edge_smoothed=self.discriminator(batch["edge_smoothed"]),
                output=judged,
                kind=config.adversarial,
            )
            loss = generator_total(terms, config)
            discriminator_loss = discriminator_total(against)
        norm = self.average.update(tape, loss)
        discriminator_norm = update(
            self._discriminator_optimizer, tape, discriminator_loss, learning
        )
        return {
            **step_log("generator", loss, norm, terms),
            **step_log("discriminator", discriminator_loss, discriminator_norm, against),
        }

    def _content(self, output: tf.Tensor, photo: tf.Tensor) -> tf.Tensor:
        return content(output, photo, vgg=self._vgg, size=self.config.vgg_size)
