"""The training loop. It knows steps, logs, checkpoints and resuming, and no method."""

from __future__ import annotations

import contextlib
import math
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import tensorflow as tf
from absl import logging
from tqdm import tqdm

from wbc_tf.training.checkpoints import RunCheckpoints
from wbc_tf.training.logs import RunLogs
from wbc_tf.training.method import Batch, Method, Phase


class Outcome(NamedTuple):
    """How a call of `train` ended: are all phases finished, and how many steps did it take."""

    finished: bool
    steps: int


class TrainingDivergedError(ArithmeticError):
    """A term stopped being a finite number; the message names it, the step and what is left."""


@dataclass(frozen=True)
class LoopSettings:
    """How often a run leaves something behind, in steps.

    Attributes:
      checkpoint_every: between checkpoints; also the most that a killed run loses.
      sample_every: between sample grids.
    """

    checkpoint_every: int = 500
    sample_every: int = 500

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

    It goes on from the folder's newest checkpoint, if there is one.

    SIGTERM and Ctrl-C let the step in hand finish, save and return; a second one kills. Of several
    workers one is enough to stop all, and all stop after the same step.

    Args:
      method: built inside the strategy's scope.
      workdir: the run's folder.
      settings: see `LoopSettings`.
      strategy: where the steps run.

    Returns:
      The outcome; not finished when the run was asked to stop.

    Raises:
      TrainingDivergedError: a loss or gradient is not finite.
      WeightsError: the checkpoint to resume from is of another network.
    """
    with contextlib.ExitStack() as stack:
        written = workdir
        if not is_chief(strategy):
            # Every worker must take part in sampling and saving; only the chief's copy is kept.
            written = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wbc-worker-")))
        checkpoints = RunCheckpoints(
            workdir / "checkpoints", method.state(), write_to=written / "checkpoints"
        )
        done = checkpoints.restore() if checkpoints.latest else 0
        logs = stack.enter_context(contextlib.closing(RunLogs(written, start_step=done)))
        return _run_phases(method, settings, strategy, checkpoints, logs, done)


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
    if done == 0:
        logs.sample(0, method.sample(method.sample_photos()))
    start = saved = done
    try:
        with _stop_on_signals() as stop_asked:
            first = 0
            for phase in method.phases():
                last = first + phase.steps
                steps = _run_phase(
                    method, phase, max(first, done), last, strategy, logs, stop_asked
                )
                for done, stop in steps:
                    if done % settings.checkpoint_every == 0 or stop:
                        # The log first: a kill between the two leaves lines to drop, not a hole.
                        logs.flush()
                        checkpoints.save(done)
                        saved = done
                    if done % settings.sample_every == 0:
                        logs.sample(done, method.sample(method.sample_photos()))
                    if stop:
                        return Outcome(finished=False, steps=done - start)
                first = last
        if saved != done:
            logs.flush()
            checkpoints.save(done)
        if done != start and done % settings.sample_every != 0:
            logs.sample(done, method.sample(method.sample_photos()))
        return Outcome(finished=True, steps=done - start)
    except TrainingDivergedError as error:
        raise TrainingDivergedError(
            f"{error} Last good checkpoint: {checkpoints.latest or 'none yet'}."
        ) from error


def _run_phase(
    method: Method,
    phase: Phase,
    first: int,
    last: int,
    strategy: tf.distribute.Strategy,
    logs: RunLogs,
    stop_asked: Callable[[], bool],
) -> Iterator[tuple[int, bool]]:
    """Takes the steps `first` to `last` - 1.

    Yields how many steps the run has behind it, and whether any worker was asked to stop.
    """
    if first >= last:
        return
    run_step = compile_step(phase, strategy)
    stop_agreed = _agreement(stop_asked, strategy)
    dataset = method.batches(start_step=first)
    batches = iter(strategy.experimental_distribute_dataset(dataset))
    try:
        with tqdm(total=last, initial=first, desc=phase.name, unit="step", disable=None) as bar:
            for step in range(first, last):
                results = run_step(next(batches), tf.constant(step, tf.int64))
                values = {name: float(value) for name, value in results.items()}
                refuse_non_finite(values, step=step, phase=phase.name)
                logs.scalars(step + 1, phase.name, values)
                rate = (bar.format_dict["rate"] or 0) * method.batch_size
                terms = " ".join(f"{n}={v:.3g}" for n, v in values.items() if "/" not in n)
                bar.set_postfix_str(f"{rate:.1f} images/s {terms}", refresh=False)
                bar.update()
                yield step + 1, stop_agreed()
    finally:
        # The pipeline's threads run Python. One that is left behind, by a traceback that holds this
        # frame, would wait at the interpreter's end for a lock that it never gets.
        del batches


def compile_step(
    phase: Phase, strategy: tf.distribute.Strategy
) -> Callable[[Batch, tf.Tensor], Mapping[str, tf.Tensor]]:
    """A phase's step as one graph over all replicas, its figures averaged over them."""

    # Steps are plain tensor code: looking for Python control flow to convert would take a third of
    # the tracing time.
    @tf.function(autograph=False)
    def run_step(batch: Batch, step: tf.Tensor) -> Mapping[str, tf.Tensor]:
        per_replica = strategy.run(phase.train_step, args=(batch, step))
        return {
            name: strategy.reduce(tf.distribute.ReduceOp.MEAN, value, axis=None)
            for name, value in per_replica.items()
        }

    return run_step


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
def _stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Turns the first SIGINT or SIGTERM into a wish; the next one acts as it always did."""
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    asked = False

    def note_wish(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        wish = signal.Signals(number)
        logging.warning("%s: stopping after this step", wish.name)
        signal.signal(wish, previous[wish])

    for number in previous:
        signal.signal(number, note_wish)
    try:
        yield lambda: asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
