"""A whole training run: its folder is checked and locked, trained in, and the result exported."""

from __future__ import annotations

import contextlib
import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from wbc_tf.artefact.weights import WeightsError
from wbc_tf.files.whole import write_whole
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.methods.runs import RunError, RunRecord, export_generator, read_run
from wbc_tf.training.checkpoints import CheckpointError, DamagedCheckpointError, find_steps
from wbc_tf.training.config import TrainingConfig
from wbc_tf.training.lock import RunLockedError, run_lock
from wbc_tf.training.loop import LoopSettings, Outcome, TrainingError, is_chief, train
from wbc_tf.training.method import Method
from wbc_tf.training.provenance import source_commit
from wbc_tf.training.spec import MethodSpec

#: Ways to share a batch out.
DISTRIBUTIONS = ("none", "mirrored", "multi_worker")


class RunRefusedError(ValueError):
    """A run that cannot start as asked; the message says why, and nothing was written."""


#: What `train_run` raises before it has changed anything.
REFUSALS = (RunRefusedError, RunLockedError, DamagedCheckpointError)

#: What it raises when a run cannot go on; what was saved before stays.
FAILURES = (TrainingError, CheckpointError, WeightsError, OSError)


@dataclass(frozen=True)
class RunSettings:
    """Where and how a run is trained; none of it changes what is learnt.

    Attributes:
      workdir: the run's folder.
      resume: go on where the folder stands; else a folder that holds a run is refused.
      distribute: one of `DISTRIBUTIONS`.
      deterministic: see `make_deterministic`.
      loop: how often something is written.
    """

    workdir: Path
    resume: bool = True
    distribute: str = "none"
    deterministic: bool = False
    loop: LoopSettings = field(default_factory=LoopSettings)


def train_run(spec: MethodSpec, config: TrainingConfig, settings: RunSettings) -> Outcome:
    """Trains from where the run folder stands to the end, and writes ``model/`` then.

    Raises:
      RunRefusedError: the folder holds another run, or the config names what is not there.
      RunLockedError: another training runs in the folder.
      DamagedCheckpointError: no checkpoint in the folder is intact.
      TrainingError, CheckpointError, WeightsError, OSError: see `wbc_tf.training.loop.train`.
    """
    workdir = settings.workdir
    refuse_mixing(spec, config, workdir, resume=settings.resume)
    if settings.deterministic:
        make_deterministic()
    strategy = make_strategy(settings.distribute)
    _refuse_uneven(config.batch_size, strategy.num_replicas_in_sync)
    try:
        with _global_seeds_restored(), strategy.scope():
            method = spec.build(config)
        workdir.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:  # folders, files and names that the config gives
        raise RunRefusedError(str(error)) from error
    with contextlib.ExitStack() as stack:
        record = RunRecord(spec, config, source_commit())
        if is_chief(strategy):
            stack.enter_context(run_lock(workdir))
            # Once more: another training may have begun and ended here in the meantime.
            refuse_mixing(spec, config, workdir, resume=settings.resume)
            write_whole(workdir / "config.json", _to_json(record))
        outcome = train(method, workdir=workdir, settings=settings.loop, strategy=strategy)
        if outcome.finished and is_chief(strategy):
            _export(record, method, workdir / "model", again=outcome.steps > 0)
    return outcome


def refuse_mixing(
    spec: MethodSpec, config: TrainingConfig, workdir: Path, *, resume: bool = True
) -> None:
    """A run folder is one run: other settings, or a fresh start, need another folder.

    Raises:
      RunRefusedError: the folder holds another run, or one whose settings are lost.
    """
    recorded = workdir / "config.json"
    if not recorded.exists():
        if find_steps(workdir / "checkpoints"):
            raise RunRefusedError(
                f"{workdir} holds checkpoints, but config.json, which says how they were trained, "
                "is gone. Put it back (--dry_run with the run's own flags prints it), or choose "
                "another --workdir"
            )
        return
    if not resume:
        raise RunRefusedError(
            f"{workdir} already holds a run; choose another --workdir, or leave out --noresume"
        )
    try:
        before = read_run(workdir)
    except RunError as error:
        raise RunRefusedError(f"{error}. Choose another --workdir, or mend the file") from error
    if before.spec.name != spec.name:
        changed = [f"--method was {before.spec.name!r}, now {spec.name!r}"]
    else:
        # More steps are how a finished run is continued, and data may have moved.
        changed = [
            f"--{option.name} was {getattr(before.config, option.name)!r}, "
            f"now {getattr(config, option.name)!r}"
            for option in fields(config)
            if option.name != "steps"
            and not option.metadata.get("location")
            and getattr(before.config, option.name) != getattr(config, option.name)
        ]
    if changed:
        raise RunRefusedError(
            f"{workdir} holds a run with other settings ({'; '.join(changed)}). To train on from "
            "its result, choose a new --workdir and --initial_model."
        )


def make_deterministic() -> None:
    """Makes every step on this machine give the same bits each time.

    TensorFlow's own switch is not enough on a CPU: it adds up three and more gradients of one
    variable beginning with the one whose memory it can reuse, and which one that is depends on how
    its threads happen to run. One thread for the order of operations settles it; each of them
    still uses all cores.

    Raises:
      RunRefusedError: TensorFlow has already started.
    """
    try:
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise RunRefusedError(
            "--deterministic needs a process in which TensorFlow has not computed anything yet"
        ) from error
    tf.config.experimental.enable_op_determinism()


def make_strategy(name: str) -> tf.distribute.Strategy:
    """How a batch is shared out.

    Args:
      name: one of `DISTRIBUTIONS`.

    Raises:
      RunRefusedError: nothing names the workers of a multi-worker run.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multi_worker":
        if "TF_CONFIG" not in os.environ:
            raise RunRefusedError("--distribute=multi_worker needs TF_CONFIG to name the workers")
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


def _refuse_uneven(batch_size: int, devices: int) -> None:
    if batch_size % devices:
        raise RunRefusedError(
            f"--batch_size={batch_size} cannot be shared out evenly among {devices} devices; give "
            f"a multiple of {devices}"
        )


@contextlib.contextmanager
def _global_seeds_restored() -> Iterator[None]:
    """Gives Python's and NumPy's random numbers back: a program may hold this library."""
    python, arrays = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(arrays)


def _to_json(record: RunRecord) -> bytes:
    document = {
        "method": record.spec.name,
        "config": json.loads(record.config.to_json()),
        "commit": record.commit,
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def _export(record: RunRecord, method: Method, directory: Path, *, again: bool) -> None:
    if directory.exists() and not again:
        try:
            Cartoonizer.load(directory)
            return
        except (OSError, ValueError, LookupError, tf.errors.OpError) as error:
            logging.warning("%s cannot be read and is exported once more: %s", directory, error)
    steps = sum(phase.steps for phase in method.phases())
    export_generator(record, method.averaged_generator(), directory, step=steps)
