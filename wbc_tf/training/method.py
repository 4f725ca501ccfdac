"""What a method must offer to be trained: the one interface between the loop and all methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import tensorflow as tf

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

    def batches(self, *, start_step: int) -> tf.data.Dataset:
        """The endless global batches from a step on; a pure function of (seed, step)."""

    def sample(self, photos: tf.Tensor) -> dict[str, tf.Tensor]:
        """The columns of the sample grid for some photos, by name, each [N, H, W, 3] in [-1, 1]."""

    def sample_photos(self) -> tf.Tensor:
        """The fixed photos of the sample grid, [N, H, W, 3]."""

    def export(self, directory: Path) -> None:
        """Writes the generator (its moving average) as a model directory."""
