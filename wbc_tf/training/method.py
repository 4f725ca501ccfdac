"""What a method must offer to be trained: the one interface between the loop and all methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import tensorflow as tf

from wbc_tf.artefact.exported import Exported, load_generator
from wbc_tf.training.config import TrainingConfig
from wbc_tf.training.optimization import AveragedGenerator, make_optimizer

#: A batch is a dict of float32 [N, H, W, 3] RGB in [-1, 1], named by what the pictures are.
Batch = Mapping[str, tf.Tensor]


@dataclass(frozen=True)
class Phase:
    """A stretch of steps under one objective.

    Attributes:
      name: as it appears in logs and checkpoints.
      steps: how many; 0 leaves the phase out.
      train_step: (batch, step) -> named float32 scalars for the log. Plain Python over tensors,
        called once in each replica; the loop wraps it in ``tf.function`` and the strategy. `step`
        is the run's global step, an int64 scalar tensor: all randomness in a step must be drawn
        statelessly from (seed, step), so that a resumed run draws what an unbroken one would. The
        scalars are means over the *replica's* batch; the loop averages them over the replicas.
    """

    name: str
    steps: int
    train_step: Callable[[Batch, tf.Tensor], dict[str, tf.Tensor]]


class Method(Protocol):
    """A trainable method, built from its config inside the strategy's scope."""

    #: As in the registry, and as an exported model states it.
    name: str
    #: Pictures of each kind in a global batch.
    batch_size: int

    def phases(self) -> Sequence[Phase]:
        """The phases in the order they run."""

    def state(self) -> Mapping[str, Any]:
        """Everything a checkpoint must hold (models, optimizers), by name; all variables built."""

    def batches(
        self, *, start_step: int, context: tf.distribute.InputContext | None = None
    ) -> tf.data.Dataset:
        """The endless global batches from a step on; see `wbc_tf.data.streams.batch_stream`."""

    def sample(self, photos: tf.Tensor) -> dict[str, tf.Tensor]:
        """The columns of the sample grid for some photos, by name, each [N, H, W, 3] in [-1, 1]."""

    def sample_photos(self) -> tf.Tensor:
        """The fixed photos of the sample grid, [N, H, W, 3]."""

    def averaged_generator(self) -> tf.keras.Model:
        """The generator as it would be exported now, under its moving average, in float32."""


class Data(Protocol):
    """What a run reads; batches and samples are pure functions of (seed, step)."""

    def batches(
        self, *, start_step: int, context: tf.distribute.InputContext | None = None
    ) -> tf.data.Dataset:
        """See `Method.batches`."""

    def sample_photos(self) -> tf.Tensor:
        """See `Method.sample_photos`."""


def step_log(
    network: str, loss: tf.Tensor, norm: tf.Tensor, terms: Mapping[str, tf.Tensor] | None = None
) -> dict[str, tf.Tensor]:
    """What a step logs of one network.

    Args:
      network: "generator" or "discriminator".
      loss: what it learnt from.
      norm: of the gradient.
      terms: of the loss, unweighted, by name.
    """
    named = {f"{network}/{name}": term for name, term in (terms or {}).items()}
    return {f"{network}_loss": loss, **named, f"gradient_norm/{network}": norm}


class GanMethod:
    """What the methods have in common: a generator with its average, data, two phases.

    A method derives from it, makes its other networks after ``super().__init__``, and gives the
    two steps, the sample columns and its part of the state. Built inside the strategy's scope; the
    first weights follow from the seed, for which TensorFlow's, NumPy's and Python's global random
    states are set.

    Args:
      config: the run's.
      exported: of the method.
      data: what the run reads.
      rate: the generator's learning rate in the adversarial phase; by default the config's.
    """

    def __init__(
        self, config: TrainingConfig, *, exported: Exported, data: Data, rate: Any = None
    ) -> None:
        self.config = config
        self.name = exported.method
        self.batch_size = config.batch_size
        self._data = data
        tf.keras.utils.set_random_seed(config.seed)
        self.average = AveragedGenerator(
            partial(exported.build, **config.generator_settings()), config, rate=rate
        )
        if config.initial_model:
            initial = load_generator(exported, config.initial_model)
            self.generator.set_weights(initial.get_weights())
        self.pretrain_optimizer = make_optimizer(
            config, self.generator.trainable_variables, rate=self.pretrain_rate()
        )

    @property
    def generator(self) -> tf.keras.Model:
        """The generator whose weights the steps move."""
        return self.average.model

    def averaged_generator(self) -> tf.keras.Model:
        """See `Method.averaged_generator`."""
        return self.average.averaged()

    def pretrain_rate(self) -> Any:
        """The learning rate of the first phase; None for the config's."""
        return None

    def phases(self) -> Sequence[Phase]:
        """Pre-training, then the adversarial steps."""
        return (
            Phase("pretrain", self.config.pretrain_steps, self.pretrain_step),
            Phase("adversarial", self.config.steps, self.adversarial_step),
        )

    def pretrain_step(self, batch: Batch, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """One step of the first phase; see `Phase.train_step`."""
        raise NotImplementedError

    def adversarial_step(self, batch: Batch, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """One step of the second phase; see `Phase.train_step`."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Generator and optimizers; a method adds its discriminators and their optimizers."""
        return {**self.average.state(), "pretrain_optimizer": self.pretrain_optimizer}

    def batches(
        self, *, start_step: int, context: tf.distribute.InputContext | None = None
    ) -> tf.data.Dataset:
        """See `Method.batches`."""
        return self._data.batches(start_step=start_step, context=context)

    def sample_photos(self) -> tf.Tensor:
        """See `Method.sample_photos`."""
        return self._data.sample_photos()
