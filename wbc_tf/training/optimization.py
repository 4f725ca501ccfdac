"""Optimizers of a run, one step of one of them, and the generator's moving average."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from wbc_tf.training.config import TrainingConfig

#: Under mixed_float16. With Keras' own 2^15 the gradients of losses that are divided by the number
#: of features vanish at large crops; an overflow costs a skipped step and halves it.
INITIAL_LOSS_SCALE = 2.0**24


def make_optimizer(
    config: TrainingConfig,
    variables: Sequence[tf.Variable],
    *,
    rate: float | tf.keras.optimizers.schedules.LearningRateSchedule | None = None,
    **options: Any,
) -> tf.keras.optimizers.Optimizer:
    """Adam over some variables, with loss scaling under mixed_float16.

    Args:
      config: its rate, moments and precision.
      variables: what it will move; its own variables exist afterwards.
      rate: in place of the config's learning rate.
      **options: of Keras' Adam.
    """
    optimizer: Any = tf.keras.optimizers.Adam(
        config.learning_rate if rate is None else rate,
        beta_1=config.beta_1,
        beta_2=config.beta_2,
        epsilon=1e-8,  # that of TensorFlow 1 and Torch, as released; Keras has 1e-7
        jit_compile=False,  # XLA fails on GPUs whose CUDA came without libdevice, for no gain
        **options,
    )
    if config.precision == "mixed_float16":
        optimizer = tf.keras.mixed_precision.LossScaleOptimizer(
            optimizer, initial_scale=INITIAL_LOSS_SCALE
        )
    optimizer.build(variables)
    return optimizer


def update(
    optimizer: Any,
    tape: tf.GradientTape,
    loss: tf.Tensor,
    variables: Sequence[tf.Variable],
    *,
    resting: Sequence[tf.Variable] = (),
) -> tf.Tensor:
    """Moves the variables against a loss; returns its gradient's L2 norm.

    The loss is a mean over the replica's part of the batch, and Keras *sums* gradients over the
    replicas: hence each takes its share of one. Where loss scaling overflowed, Keras leaves the
    step out and lowers the scale; the norm is then 0. Once the scale is at its end, it is the
    gradients that are broken, and the norm says so.

    Args:
      optimizer: of `make_optimizer`.
      tape: that recorded the loss.
      loss: scalar.
      variables: to move.
      resting: further variables of the optimizer that this step gives a gradient of zero.
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
    zeros = [tf.zeros_like(variable) for variable in resting]
    optimizer.apply_gradients(zip([*gradients, *zeros], [*variables, *resting]))
    return norm


class AveragedGenerator:
    """A generator, the optimizer that keeps the moving average of its weights, and that average.

    Keras starts an average from the weights at building, here random ones from before the
    pre-training. Started from zero instead, it is divided by what the same average makes of a
    constant one, as Adam frees its moments of their start (Kingma & Ba, ICLR 2015, section 3). The
    one is moved by the same optimizer, so a step that loss scaling skips is missing in both.

    Built inside the strategy's scope.

    Args:
      build: (dtype=policy) -> the generator with its variables.
      config: the run's.
      rate: see `make_optimizer`.
    """

    def __init__(
        self, build: Callable[..., tf.keras.Model], config: TrainingConfig, *, rate: Any = None
    ) -> None:
        self._strategy = tf.distribute.get_strategy()
        self.model = build(dtype=tf.keras.mixed_precision.Policy(config.precision))
        # What is shown and exported, always float32. Never in a checkpoint: it follows from one.
        self._shown = build(dtype="float32")
        self._one = tf.Variable(0.0, name="one")
        weights = self.model.get_weights()
        self.model.set_weights([np.zeros_like(weight) for weight in weights])
        self.optimizer = make_optimizer(
            config, self._averaged, rate=rate, use_ema=True, ema_momentum=config.ema_momentum
        )
        self.model.set_weights(weights)
        self._one.assign(1.0)

    @property
    def _averaged(self) -> list[tf.Variable]:
        return [*self.model.trainable_variables, self._one]

    @property
    def steps(self) -> int:
        """How many updates the average has seen."""
        return int(_inner(self.optimizer).iterations.numpy())

    def state(self) -> dict[str, Any]:
        """Its part of a run's checkpoint."""
        return {"generator": self.model, "generator_optimizer": self.optimizer}

    def update(self, tape: tf.GradientTape, loss: tf.Tensor) -> tf.Tensor:
        """`update` of the generator and of its average."""
        variables = self.model.trainable_variables
        return update(self.optimizer, tape, loss, variables, resting=[self._one])

    def averaged(self) -> tf.keras.Model:
        """The generator under the average of its weights; in float32, one object at all calls.

        Before the first update it has the weights themselves.
        """
        weights = self.model.get_weights()
        if self.steps == 0:
            self._shown.set_weights(weights)
            return self._shown
        with self._strategy.scope():
            # Keras hands the average out only by overwriting the weights with it.
            _inner(self.optimizer).finalize_variable_values(self._averaged)
            average, seen = self.model.get_weights(), self._one.numpy()
            self.model.set_weights(weights)
            self._one.assign(1.0)
        # Where loss scaling has skipped every step so far, there is no average yet.
        shown = [weight / seen for weight in average] if seen else weights
        self._shown.set_weights(shown)
        return self._shown


def _inner(optimizer: Any) -> Any:
    return getattr(optimizer, "inner_optimizer", optimizer)
