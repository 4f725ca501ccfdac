"""Checkpoints of a whole run, restored strictly: every name and shape, or an error listing them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import tensorflow as tf

from wbc_tf.artefact.weights import check_names_and_shapes

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_KEPT = 3


class RunCheckpoints:
    """The checkpoints of one run: the method's whole state and the step it was reached at.

    Data position and random numbers need no room of their own: both are pure functions of
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
            reads. That part must be complete all the same.
        """
        self._partial = partial
        self._parts = {*state, "step", "save_counter"}
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self._checkpoint = tf.train.Checkpoint(step=self.step, **state)
        # The counter a Checkpoint makes at its first save; made now, it is there to be restored.
        self._checkpoint.save_counter  # noqa: B018
        self._manager = tf.train.CheckpointManager(
            self._checkpoint,
            str(write_to or folder),
            max_to_keep=_KEPT,
            checkpoint_name="step",
        )
        self._folder = folder

    @property
    def latest(self) -> str | None:
        """The newest checkpoint's path, or None."""
        path: str | None = tf.train.latest_checkpoint(str(self._folder))
        return path

    @property
    def kept(self) -> dict[int, str]:
        """The paths of all checkpoints that are there by their steps, oldest first."""
        state = tf.train.get_checkpoint_state(str(self._folder))
        paths = state.all_model_checkpoint_paths if state else ()
        return {
            int(path.rpartition("-")[2]): path for path in paths if Path(f"{path}.index").is_file()
        }

    def save(self, step: int) -> str:
        """Writes the state as of a step; older checkpoints than the last three are removed."""
        self.step.assign(step)
        return str(self._manager.save(checkpoint_number=step))

    def restore(self, path: str | None = None) -> int:
        """Brings a checkpoint back, the newest unless another is named, and returns its step.

        Raises:
          FileNotFoundError: there is none.
          WeightsError: it is of another state; all names missing, left over or misshapen are
            listed, and nothing was changed.
        """
        path = path or self.latest
        if path is None:
            raise FileNotFoundError(f"{self._folder}: no checkpoint to resume from")
        shapes = tf.train.load_checkpoint(path).get_variable_to_shape_map()
        found = {
            name[: -len(_VALUE)]: SimpleNamespace(shape=shape)
            for name, shape in shapes.items()
            if name.endswith(_VALUE)
            and (not self._partial or name.partition("/")[0] in self._parts)
        }
        check_names_and_shapes(_variables(self._checkpoint), found, source=path)
        status = self._checkpoint.restore(path)
        if self._partial:
            status.assert_existing_objects_matched().expect_partial()
        else:
            status.assert_consumed()
        return int(self.step.numpy())


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
