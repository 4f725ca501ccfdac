"""The training loop. It knows steps, logs, checkpoints and resuming, and no method."""

from __future__ import annotations

import contextlib
import math
import re
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import tensorflow as tf
from absl import logging

from wbc_tf.training.checkpoints import DamagedCheckpointError, RunCheckpoints
from wbc_tf.training.logs import RunLogs, steps_logged
from wbc_tf.training.method import Batch, Method, Phase
from wbc_tf.training.progress import Progress

# Exceptions whose message is a sentence for people. TensorFlow keeps of an exception in the input
# pipeline, or in Python code that a step calls, nothing but its name and its text.
_FOR_PEOPLE = ("ImageFolderError", "StructureWorkerError")


class Outcome(NamedTuple):
    """How a call of `train` ended.

    Attributes:
      finished: all phases are done.
      steps: how many this call took.
      signal: the one that asked this process to stop; None where none did, or another worker was
        asked.
    """

    finished: bool
    steps: int
    signal: signal.Signals | None = None


class TrainingError(RuntimeError):
    """Training cannot go on; the message says why, and which checkpoint is left."""


class TrainingDivergedError(TrainingError):
    """A term stopped being a finite number; the message names it and the step."""


@dataclass(frozen=True)
class LoopSettings:
    """How often a run leaves something behind, in steps.

    Attributes:
      checkpoint_every: between checkpoints; also the most that a killed run loses.
      sample_every: between sample grids.
      log_every: between points of TensorBoard's curves; losses.jsonl has every step.
    """

    checkpoint_every: int = 500
    sample_every: int = 500
    log_every: int = 20

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise ValueError(f"{name} is a number of steps, 1 or more, not {value}")


def train(
    method: Method,
    *,
    workdir: Path,
    settings: LoopSettings,
    strategy: tf.distribute.Strategy,
) -> Outcome:
    """Runs a method's phases from where the run folder stands to their end.

    It goes on from the folder's newest intact checkpoint, if there is one. A new run saves one
    before its first step, so that a folder with steps but without checkpoints is a damaged one.

    SIGTERM, SIGHUP and Ctrl-C let the step in hand finish, save and return; a second one kills. Of
    several workers one is enough to stop all, and all stop after the same step.

    Args:
      method: built inside the strategy's scope.
      workdir: the run's folder.
      settings: see `LoopSettings`.
      strategy: where the steps run.

    Returns:
      The outcome; not finished when the run was asked to stop.

    Raises:
      TrainingError: a loss or gradient is not finite, or no batches can be made any more.
      DamagedCheckpointError: no checkpoint is intact.
      CheckpointError: one cannot be read or written.
      WeightsError: the checkpoint to resume from is of another network.
      OSError: a log cannot be written.
    """
    with contextlib.ExitStack() as stack:
        written = workdir
        if not is_chief(strategy):
            # Every worker must take part in sampling and saving; only the chief's copy is kept.
            written = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wbc-worker-")))
        checkpoints = RunCheckpoints(
            workdir / "checkpoints", method.state(), write_to=written / "checkpoints"
        )
        checkpoints.remove_unfinished()
        done = _restore(checkpoints, workdir)
        if done == 0:
            checkpoints.save(0)
        logs = RunLogs(written, start_step=done, curve_every=settings.log_every)
        stack.enter_context(contextlib.closing(logs))
        return _run_phases(method, settings, strategy, checkpoints, logs, done)


def _restore(checkpoints: RunCheckpoints, workdir: Path) -> int:
    """Brings the newest intact checkpoint back; 0 for a new run."""
    if checkpoints.started:
        return checkpoints.restore()
    steps = steps_logged(workdir)
    if steps:
        raise DamagedCheckpointError(
            f"{workdir}: losses.jsonl tells of {steps} steps, but there is no checkpoint in "
            f"{workdir / 'checkpoints'}. Put one back, or choose another --workdir"
        )
    return 0


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process keeps what a run writes; without other workers it always does."""
    resolver = _workers(strategy)
    if resolver is None:
        return True
    if "chief" in resolver.cluster_spec().jobs:
        return bool(resolver.task_type == "chief")
    return bool(resolver.task_type == "worker" and resolver.task_id == 0)


def _workers(strategy: tf.distribute.Strategy) -> Any:
    """Who the workers are; None where this process is alone."""
    resolver = strategy.cluster_resolver
    return resolver if resolver is not None and resolver.cluster_spec().jobs else None


def _run_phases(
    method: Method,
    settings: LoopSettings,
    strategy: tf.distribute.Strategy,
    checkpoints: RunCheckpoints,
    logs: RunLogs,
    done: int,
) -> Outcome:
    start = saved = done
    sampled = -1
    try:
        if done == 0:
            logs.sample(0, method.sample(method.sample_photos()))
            sampled = 0
        with _stop_on_signals() as asked:
            first = 0
            for phase in method.phases():
                last = first + phase.steps
                steps = _run_phase(method, phase, max(first, done), last, strategy, logs, asked)
                for done, stop in steps:
                    if done % settings.checkpoint_every == 0 or stop:
                        # The log first: a kill between the two leaves lines to drop, not a hole.
                        logs.flush()
                        checkpoints.save(done)
                        saved = done
                    if done % settings.sample_every == 0:
                        logs.sample(done, method.sample(method.sample_photos()))
                        sampled = done
                    if stop:
                        return Outcome(finished=False, steps=done - start, signal=asked())
                first = last
        if saved != done:
            logs.flush()
            checkpoints.save(done)
        if done != start and sampled != done:
            logs.sample(done, method.sample(method.sample_photos()))
        return Outcome(finished=True, steps=done - start)
    except TrainingDivergedError as error:
        raise TrainingDivergedError(f"{error} {_what_is_left(checkpoints)}") from error
    except tf.errors.OpError as error:
        sentence = _sentence_in(error)
        if sentence is None:
            raise
        raise TrainingError(f"{sentence}. {_what_is_left(checkpoints)}") from error


def _what_is_left(checkpoints: RunCheckpoints) -> str:
    return f"Last good checkpoint: {checkpoints.latest}."


def _sentence_in(error: tf.errors.OpError) -> str | None:
    """What one of our own exceptions said before TensorFlow made it one of its own."""
    names = "|".join(_FOR_PEOPLE)
    match = re.search(rf"\b(?:{names}): (.*?)\.?\s*(?:\nTraceback|$)", error.message, re.DOTALL)
    return match[1] if match else None


def _run_phase(
    method: Method,
    phase: Phase,
    first: int,
    last: int,
    strategy: tf.distribute.Strategy,
    logs: RunLogs,
    asked: Callable[[], signal.Signals | None],
) -> Iterator[tuple[int, bool]]:
    """Takes the steps `first` to `last` - 1.

    Yields how many steps the run has behind it, and whether any worker was asked to stop.
    """
    if first >= last:
        return
    run_step = compile_step(phase, strategy)
    stop_agreed = _agreement(lambda: asked() is not None, strategy)
    batches = iter(
        strategy.distribute_datasets_from_function(
            lambda context: method.batches(start_step=first, context=context)
        )
    )
    progress = Progress(phase.name, first=first, last=last, batch_size=method.batch_size)
    try:
        with progress:
            for step in range(first, last):
                values = run_step(next(batches), step)
                refuse_non_finite(values, step=step, phase=phase.name)
                logs.scalars(step + 1, phase.name, values)
                progress.step(step + 1, values)
                yield step + 1, stop_agreed()
    finally:
        # The pipeline's threads run Python. One that is left behind, by a traceback that holds this
        # frame, would wait at the interpreter's end for a lock that it never gets.
        del batches


def compile_step(
    phase: Phase, strategy: tf.distribute.Strategy
) -> Callable[[Batch, int], dict[str, float]]:
    """A phase's step as one graph over all replicas.

    Returns:
      (batch, step) -> the step's figures, averaged over the replicas. They come in one piece: each
      fetch waits for the device, and sixteen of them cost more than the figures are worth.
    """
    names: list[str] = []

    # Steps are plain tensor code: looking for Python control flow to convert would take a third of
    # the tracing time.
    @tf.function(autograph=False)
    def run_step(batch: Batch, step: tf.Tensor) -> tf.Tensor:
        def replica_step(batch: Batch, step: tf.Tensor) -> tf.Tensor:
            figures = phase.train_step(batch, step)
            names[:] = figures
            return tf.stack([tf.cast(value, tf.float32) for value in figures.values()])

        stacked = strategy.run(replica_step, args=(batch, step))
        return strategy.reduce(tf.distribute.ReduceOp.MEAN, stacked, axis=None)

    def figures(batch: Batch, step: int) -> dict[str, float]:
        values = run_step(batch, tf.constant(step, tf.int64)).numpy()
        return dict(zip(names, values.tolist()))

    return figures


def _agreement(
    stop_asked: Callable[[], bool], strategy: tf.distribute.Strategy
) -> Callable[[], bool]:
    """Whether any worker was asked to stop; all get the same answer, so none waits for the others.

    A worker that stopped by itself would leave the rest waiting for its gradients.
    """
    if _workers(strategy) is None:
        return stop_asked

    @tf.function(autograph=False)
    def total(wish: tf.Tensor) -> tf.Tensor:
        wishes = strategy.run(tf.identity, args=(wish,))
        return strategy.reduce(tf.distribute.ReduceOp.SUM, wishes, axis=None)

    return lambda: float(total(tf.constant(float(stop_asked())))) > 0


def refuse_non_finite(values: Mapping[str, float], *, step: int, phase: str) -> None:
    """Raises `TrainingDivergedError` if any figure of a step is NaN or infinite."""
    bad = {name: value for name, value in values.items() if not math.isfinite(value)}
    if bad:
        terms = ", ".join(f"{name} = {value}" for name, value in bad.items())
        raise TrainingDivergedError(
            f"Step {step + 1} ({phase}): {terms}. Nothing of this step was saved."
        )


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[Callable[[], signal.Signals | None]]:
    """Turns the first SIGINT, SIGTERM or SIGHUP into a wish; the next one acts as it always did."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)  # a closed terminal; ``nohup`` has it ignored
    previous = {number: signal.getsignal(number) for number in numbers}
    asked: signal.Signals | None = None

    def note_wish(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = signal.Signals(number)
        logging.warning("%s: stopping after this step", asked.name)
        signal.signal(asked, previous[asked])

    for number in previous:
        signal.signal(number, note_wish)
    try:
        yield lambda: asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
