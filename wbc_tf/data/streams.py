"""Named batches for training, as an endless ``tf.data`` dataset that starts at any step.

Sources are folders; derived streams are made from them on the way, such as the content target from
the photo. Each row of a batch is a pure function of (seed, step, row). So a resumed run sees what
an unbroken one would, and a worker of a distributed run makes its own rows and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tensorflow as tf


class Crops(Protocol):
    """What a source takes its rows from: see `wbc_tf.data.crops.CropSampler`."""

    def crop(self, position: int) -> np.ndarray:
        """The crop at a position, 0 or more; float32 [patch, patch, 3] in [-1, 1]."""


@dataclass(frozen=True)
class Source:
    """Batches of a main folder, with one of a side folder every so often.

    The white-box authors' rhythm: a batch of faces every fifth step, from the first on, else
    scenery.

    Attributes:
      main: where most batches come from.
      side: where the others come from; None leaves them out.
      side_every: the steps divisible by this belong to `side`.
    """

    main: Crops
    side: Crops | None = None
    side_every: int = 5

    def rows(self, step: int, rows: range, *, batch_size: int) -> np.ndarray:
        """Some rows of the batch of a step, float32 [len(rows), patch, patch, 3] in [-1, 1]."""
        crops, number = self.main, step
        if self.side is not None:
            side_steps = -(-step // self.side_every)  # before this one
            if step % self.side_every == 0:
                crops, number = self.side, side_steps
            else:
                number = step - side_steps
        return np.stack([crops.crop(number * batch_size + row) for row in rows])


@dataclass(frozen=True)
class Derived:
    """A stream that is made from another one.

    Attributes:
      of: name of the source, or of a derived stream that stands before this one.
      function: (pictures, positions) -> pictures of the same shape. Both float32 [n, patch, patch,
        3] in [-1, 1]; the positions, int64 [n], are step x batch size + row, and everything random
        in the function must follow from the run's seed and from these. It sees some rows of a
        batch, is called from several threads at once, and in the time of earlier training steps.
    """

    of: str
    function: Callable[[np.ndarray, np.ndarray], np.ndarray]


def batch_stream(
    sources: Mapping[str, Source],
    derived: Mapping[str, Derived] | None = None,
    *,
    batch_size: int,
    patch_size: int,
    start_step: int = 0,
    context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """An endless dataset of dicts: all sources and derived streams by name, from a step on.

    Without a context each element is the whole batch of a step. With one, from
    ``strategy.distribute_datasets_from_function``, an element is one replica's share of it, in the
    order in which the strategy deals them out; the shares of all replicas on all workers together
    are the very batch that one device would get.

    Batches are made in parallel and ahead, and come in order whatever the number of threads.

    Let go of an iterator before the interpreter ends. The threads behind it run Python, and one
    that is left over can keep the process from ending, even on SIGTERM.

    Args:
      sources: name -> source.
      derived: name -> derived stream; each after the stream it is made from.
      batch_size: rows of a whole batch, over all workers.
      patch_size: height and width of the pictures.
      start_step: of the first batch.
      context: which worker asks; None where one process makes the whole batch.

    Raises:
      ValueError: a derived stream's origin is not there; or the batch cannot be shared out evenly.
    """
    derived = dict(derived or {})
    known = set(sources)
    for name, stream in derived.items():
        if stream.of not in known or name in known:
            raise ValueError(f"stream {name!r} cannot be made from {stream.of!r}: {sorted(known)}")
        known.add(name)

    workers, worker, replicas = 1, 0, 1
    if context is not None:
        workers, worker = context.num_input_pipelines, context.input_pipeline_id
        replicas = context.num_replicas_in_sync // workers  # of this worker
    share, left_over = divmod(batch_size, workers * replicas)
    if left_over:
        raise ValueError(
            f"a batch of {batch_size} cannot be shared out evenly among {workers * replicas} "
            "devices"
        )
    shape = (share, patch_size, patch_size, 3)

    def rows_of(step: int, replica: int) -> range:
        first = (worker * replicas + replica) * share
        return range(first, first + share)

    def from_source(source: Source) -> Callable[[int, int], np.ndarray]:
        def make(step: int, replica: int) -> np.ndarray:
            return source.rows(int(step), rows_of(step, replica), batch_size=batch_size)

        return make

    def from_stream(stream: Derived) -> Callable[[int, int, np.ndarray], np.ndarray]:
        def make(step: int, replica: int, pictures: np.ndarray) -> np.ndarray:
            positions = int(step) * batch_size + np.array(rows_of(step, replica), np.int64)
            return stream.function(pictures, positions)

        return make

    def load(element: tf.Tensor) -> dict[str, tf.Tensor]:
        step, replica = element // replicas, element % replicas

        def call(function: Callable[..., np.ndarray], *arguments: tf.Tensor) -> tf.Tensor:
            # Not stateful: the same step gives the same batch, so it may run out of turn even
            # where TensorFlow is asked for deterministic operations.
            pictures = tf.numpy_function(
                function, [step, replica, *arguments], tf.float32, stateful=False
            )
            return tf.ensure_shape(pictures, shape)

        batch = {name: call(from_source(source)) for name, source in sources.items()}
        for name, stream in derived.items():
            batch[name] = call(from_stream(stream), batch[stream.of])
        return batch

    # One element is one replica's share of one step.
    elements = tf.data.Dataset.counter(start_step * replicas)
    dataset = elements.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    options = tf.data.Options()
    # For a whole batch under ``experimental_distribute_dataset``: OFF would hand the same rows to
    # every worker, without a word. DATA deals them out after the batch was cut up.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options).prefetch(tf.data.AUTOTUNE)
