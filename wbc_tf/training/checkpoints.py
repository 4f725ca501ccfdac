"""Checkpoints of a whole run: written whole, checked before use, restored strictly.

Restoring is strict: every name and shape must fit, or an error lists those that do not.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import tensorflow as tf
from absl import logging

from wbc_tf.artefact.weights import check_names_and_shapes

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_KEPT = 3
_UNFINISHED = ".unfinished-"
# A rate is for training alone. Keras stores one that changes by the step under the second name.
_RATES = ("_learning_rate", "_current_learning_rate")

# What TensorFlow raises over garbled files: its own errors, and C++'s from their parsing.
_DAMAGE = (tf.errors.OpError, RuntimeError, ValueError, LookupError, TypeError, MemoryError)


class CheckpointError(RuntimeError):
    """Checkpoints that cannot be read or written; the message names the file and what is left."""


class DamagedCheckpointError(CheckpointError):
    """A checkpoint that is not intact, and no other in its place."""


class RunCheckpoints:
    """The checkpoints of one run: the method's whole state and the step it was reached at.

    The files ``step-N.index`` and ``step-N.data-*`` are all there is: no list of them that could be
    lost. Data position and random numbers need no room of their own: both are pure functions of
    (seed, step).
    """

    def __init__(
        self,
        folder: Path,
        state: Mapping[str, Any],
        *,
        write_to: Path | None = None,
        partial: bool = False,
    ) -> None:
        """Watches a folder for a state whose variables are all built.

        Args:
          folder: of the run's checkpoints.
          state: name -> model or optimizer.
          write_to: where to save instead, for workers who must take part in saving (their share of
            the variables is asked for) but whose copy nobody needs.
          partial: the state is a part of what the run saves, such as its generator alone; only
            reads. That part must be complete all the same, but for the learning rate.
        """
        self._partial = partial
        self._parts = {*state, "step", "save_counter"}
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self._checkpoint = tf.train.Checkpoint(step=self.step, **state)
        # The counter a Checkpoint makes at its first save; made now, it is there to be restored.
        self._checkpoint.save_counter  # noqa: B018
        self._folder = folder
        self._write_to = write_to or folder

    @property
    def kept(self) -> dict[int, str]:
        """The paths of all checkpoints that are there, by their steps, oldest first.

        A path is as TensorFlow takes it: without ``.index`` and ``.data-...``.
        """
        paths = {step: str(self._folder / f"step-{step}") for step in find_steps(self._folder)}
        return {step: path for step, path in paths.items() if Path(f"{path}.index").is_file()}

    @property
    def started(self) -> bool:
        """Whether there is any file of a checkpoint, be it damaged."""
        return bool(find_steps(self._folder))

    @property
    def latest(self) -> str | None:
        """The newest checkpoint's path, or None."""
        paths = list(self.kept.values())
        return paths[-1] if paths else None

    def save(self, step: int) -> None:
        """Writes the state as of a step; older checkpoints than the last three are removed.

        Raises:
          CheckpointError: the disk is full or refuses; what was there before stays.
        """
        self.step.assign(step)
        target = self._write_to / f"step-{step}"
        try:
            self._write_to.mkdir(parents=True, exist_ok=True)
            unfinished = tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._write_to)
            try:
                self._checkpoint.write(str(Path(unfinished) / target.name))
                _move_files(Path(unfinished), self._write_to)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
            for old in find_steps(self._write_to)[:-_KEPT]:
                for path in _files_of(self._write_to / f"step-{old}"):
                    path.unlink()
        except (OSError, tf.errors.OpError) as error:
            raise CheckpointError(
                f"{target}: this checkpoint cannot be written ({reason(error)}). Checkpoints that "
                f"are there: {self._names()}"
            ) from error

    def restore(self, path: str | None = None) -> int:
        """Brings a checkpoint back and returns its step.

        Without a path it is the newest that is intact. Damaged ones are passed over, each with a
        warning that names it.

        Raises:
          FileNotFoundError: there is none.
          DamagedCheckpointError: none is intact, or the one that was named is not.
          CheckpointError: the files cannot be read, whatever they hold.
          WeightsError: it is of another state; all names missing, left over or misshapen are
            listed, and nothing was changed.
        """
        path = self._newest_intact() if path is None else path
        damage = find_damage(path)
        if damage is not None:
            raise DamagedCheckpointError(f"{path}: this checkpoint is damaged ({damage})")
        found = {
            name[: -len(_VALUE)]: SimpleNamespace(shape=shape)
            for name, shape in _shapes(path).items()
            if name.endswith(_VALUE)
            and (not self._partial or name.partition("/")[0] in self._parts)
        }
        wanted: dict[str, Any] = _variables(self._checkpoint)
        if self._partial:
            wanted, found = _without_rates(wanted), _without_rates(found)
        check_names_and_shapes(wanted, found, source=path)
        status = self._checkpoint.restore(path)
        if self._partial:
            status.expect_partial()
        else:
            status.assert_consumed()
        return int(self.step.numpy())

    def remove_unfinished(self) -> None:
        """Removes what a killed save left; only for the one process that may save here."""
        for folder in self._write_to.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _newest_intact(self) -> str:
        damaged: list[str] = []
        for step in reversed(find_steps(self._folder)):
            path = str(self._folder / f"step-{step}")
            damage = find_damage(path)
            if damage is None and step != (saved := _step_in(path)):
                damage = f"it was saved at step {saved}"
            if damage is None:
                if damaged:
                    logging.warning(
                        "%s. Going on from the newest intact one, step %d", "; ".join(damaged), step
                    )
                return path
            damaged.append(f"{path}: this checkpoint is damaged ({damage})")
        if damaged:
            raise DamagedCheckpointError(
                f"{'; '.join(damaged)}. No other is left: put a copy back, or choose another "
                "--workdir"
            )
        raise FileNotFoundError(f"{self._folder}: no checkpoint to resume from")

    def _names(self) -> str:
        return ", ".join(f"step {step}" for step in self.kept) or "none"


def find_damage(path: str) -> str | None:
    """What is wrong with a checkpoint's files; None if all of it can be read and its sums agree.

    Raises:
      CheckpointError: it cannot be told, since the files cannot be read.
    """
    try:
        for file in _files_of(Path(path)):
            with file.open("rb") as stream:
                while stream.read(
                    2**20
                ):  # TensorFlow's errors do not tell a bad disk from bad data
                    pass
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({reason(error)})") from error
    try:
        reader = tf.train.load_checkpoint(path)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)  # compares with the checksum in the index
    except _DAMAGE as error:
        return reason(error)
    return None


def _shapes(path: str) -> Mapping[str, list[int]]:
    shapes: Mapping[str, list[int]] = tf.train.load_checkpoint(path).get_variable_to_shape_map()
    return shapes


def _without_rates(named: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in named.items() if name.rpartition("/")[2] not in _RATES}


def _step_in(path: str) -> int:
    return int(tf.train.load_checkpoint(path).get_tensor(f"step{_VALUE}"))


def find_steps(folder: Path) -> list[int]:
    """The steps of all checkpoints in a folder, whole or damaged, in rising order."""
    names = (path.name for path in folder.glob("step-*"))
    matches = (re.fullmatch(r"step-(\d+)\.(index|data-.*)", name) for name in names)
    return sorted({int(match[1]) for match in matches if match})


def _files_of(checkpoint: Path) -> Iterator[Path]:
    yield from checkpoint.parent.glob(f"{checkpoint.name}.index")
    yield from checkpoint.parent.glob(f"{checkpoint.name}.data-*")


def _move_files(source: Path, target: Path) -> None:
    """Moves a written checkpoint to its place, on disk for good; the index comes last."""
    files = sorted(source.iterdir(), key=lambda path: path.suffix == ".index")
    for path in files:
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
        os.replace(path, target / path.name)


def reason(error: Exception) -> str:
    """An error of the system or of TensorFlow in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = getattr(error, "message", None) or str(error)
    # TensorFlow puts the names of its nodes before and after.
    text = re.sub(r"\{\{.*?\}\}\s*|\s*\[Op:\w*\].*", "", text, flags=re.DOTALL)
    return " ".join(text.split()) or type(error).__name__


def _variables(root: tf.train.Checkpoint) -> dict[str, tf.Variable]:
    """Every variable below an object by the name a checkpoint gives it: the shortest path there."""
    view = tf.train.TrackableView(root)
    paths = {id(root): ""}
    queue = deque([root])
    variables = {}
    while queue:
        node = queue.popleft()
        if isinstance(node, tf.Variable):
            variables[paths[id(node)]] = node
        for name, child in view.children(node).items():
            if id(child) not in paths:
                escaped = name.replace(".", "..").replace("/", ".S")
                paths[id(child)] = f"{paths[id(node)]}/{escaped}".lstrip("/")
                queue.append(child)
    return variables
