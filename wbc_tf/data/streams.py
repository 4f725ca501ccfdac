"""Crops as endless ``tf.data`` batches that start at any step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from wbc_tf.data.crops import CropSampler


@dataclass(frozen=True)
class MainAndSide:
    """Batches of a main folder, with one of a side folder every so often.

    The authors' rhythm: a batch of faces every fifth step, from the first on, else scenery.

    Attributes:
      main: where most batches come from.
      side: where the others come from; None leaves them out.
      batch_size: crops in a batch.
      side_every: the steps divisible by this belong to `side`.
    """

    main: CropSampler
    side: CropSampler | None
    batch_size: int
    side_every: int = 5

    def __call__(self, step: int) -> np.ndarray:
        """The batch of a step, float32 [batch_size, patch, patch, 3] in [-1, 1]."""
        if self.side is None:
            return self._batch(self.main, step)
        side_steps = -(-step // self.side_every)  # before this one
        if step % self.side_every == 0:
            return self._batch(self.side, side_steps)
        return self._batch(self.main, step - side_steps)

    def _batch(self, sampler: CropSampler, number: int) -> np.ndarray:
        first = number * self.batch_size
        return np.stack([sampler.crop(first + i) for i in range(self.batch_size)])


def batch_stream(
    parts: Mapping[str, Callable[[int], np.ndarray]],
    *,
    shapes: Mapping[str, tuple[int, ...]],
    start_step: int = 0,
) -> tf.data.Dataset:
    """An endless dataset of dicts: element i is ``{name: part(start_step + i)}``.

    Batches are made in parallel and ahead, and come in order whatever the number of threads.
    Several workers (``tf.distribute``) each take another part of the same global batch: with two,
    the first takes the upper half of its rows. Each makes the whole batch and drops the rest.

    Let go of an iterator before the interpreter ends. The threads behind it run Python, and one
    that is left over can keep the process from ending, even on SIGTERM.

    Args:
      parts: name -> pure function of the step, called from several threads.
      shapes: name -> shape of what it returns, float32.
      start_step: of the first batch.
    """

    def load(step: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = {}
        for name, part in parts.items():
            # Not stateful: the same step gives the same batch, so it may run out of turn even
            # where TensorFlow is asked for deterministic operations.
            images = tf.numpy_function(
                lambda at, part=part: part(int(at)), [step], tf.float32, stateful=False
            )
            batch[name] = tf.ensure_shape(images, shapes[name])
        return batch

    steps = tf.data.Dataset.counter(start_step)
    dataset = steps.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    options = tf.data.Options()
    # OFF would hand the same rows to every worker, without a word. DATA deals them out after
    # tf.distribute has cut the global batch up, so also a resumed run starts on a whole batch.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options).prefetch(tf.data.AUTOTUNE)
