"""What a run leaves to look at: TensorBoard curves, a line of losses per step, sample pictures."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from wbc_tf.comparison.contact_sheet import contact_sheet
from wbc_tf.files import PathLike
from wbc_tf.files.pictures import write_image
from wbc_tf.files.whole import write_whole
from wbc_tf.images import to_uint8
from wbc_tf.training.checkpoints import reason


class LogError(OSError):
    """A log that cannot be written; the message names the file and says why."""


class RunLogs:
    """The logs of one run folder.

    losses.jsonl: one line per step, ``{"step": 1, "phase": "pretrain", ...}``; a resumed run first
      drops the lines after its checkpoint, so that each step stands there once.
    tensorboard/: the same figures as curves, of some of the steps, and the sample grids. What a
      resumed run does again is drawn twice there: TensorBoard cannot take lines back.
    samples/: the grids as PNG files.

    Raises:
      LogError: from every method, when the disk is full or refuses.
    """

    def __init__(self, workdir: Path, *, start_step: int, curve_every: int = 1) -> None:
        """Opens the logs of a run.

        Args:
          workdir: the run's folder.
          start_step: how many steps the run has behind it.
          curve_every: steps between two points of a TensorBoard curve.
        """
        self._curve_every = curve_every
        self._samples = workdir / "samples"
        self._curves = workdir / "tensorboard"
        losses = workdir / "losses.jsonl"
        with _telling_where(workdir):
            self._samples.mkdir(parents=True, exist_ok=True)
            _keep_steps_up_to(losses, start_step)
            self._losses = losses.open("a", encoding="utf-8")
            self._writer = tf.summary.create_file_writer(str(self._curves))

    def scalars(self, step: int, phase: str, values: Mapping[str, float]) -> None:
        """Notes the figures of a step."""
        line = {"step": step, "phase": phase, **values}
        with _telling_where(self._losses.name):
            self._losses.write(json.dumps(line) + "\n")
        if step % self._curve_every == 0:
            with _telling_where(self._curves), self._writer.as_default(step=step):
                for name, value in values.items():
                    tf.summary.scalar(f"{phase}/{name}", value)

    def sample(self, step: int, columns: Mapping[str, tf.Tensor]) -> Path:
        """Notes a sample grid, one column per name; returns its PNG file."""
        pictures = {name: list(to_uint8(images.numpy())) for name, images in columns.items()}
        sheet = contact_sheet(pictures, height=len(next(iter(pictures.values()))[0]))
        path = self._samples / f"step-{step:07d}.png"
        with _telling_where(path):
            write_image(path, sheet)
        with _telling_where(self._curves), self._writer.as_default(step=step):
            tf.summary.image("samples", np.asarray(sheet)[None])
        return path

    def flush(self) -> None:
        """Brings everything to disk, so that a killed run keeps what its checkpoint knows."""
        with _telling_where(self._losses.name):
            self._losses.flush()
        with _telling_where(self._curves):
            self._writer.flush()

    def close(self) -> None:
        """Flushes and closes the files."""
        with _telling_where(self._losses.name):
            self._losses.close()
        with _telling_where(self._curves):
            self._writer.close()


@contextlib.contextmanager
def _telling_where(path: PathLike) -> Iterator[None]:
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        raise LogError(
            f"{path}: cannot be written ({reason(error)}). The same command goes on from the last "
            "checkpoint once it can"
        ) from error


def steps_logged(workdir: Path) -> int:
    """The last step that a run's ``losses.jsonl`` tells of; 0 where there is no such line."""
    lines = _lines_by_step(workdir / "losses.jsonl")
    return max(lines, default=0)


def _keep_steps_up_to(path: Path, step: int) -> None:
    """Leaves the lines of the first `step` steps, in order; says how many of them are lost."""
    lines = _lines_by_step(path)
    kept = [lines[known] + b"\n" for known in sorted(lines) if known <= step]
    if len(kept) < step:
        logging.warning(
            "%s: the lines of %d of %d steps are missing or damaged; training goes on without them",
            path,
            step - len(kept),
            step,
        )
    if path.exists():
        write_whole(path, b"".join(kept))


def _lines_by_step(path: Path) -> dict[int, bytes]:
    """The lines that can be read: a killed run cuts its last one off, a bad disk any."""
    lines = {}
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        try:
            step = json.loads(line)["step"]
        except (ValueError, LookupError, TypeError):
            continue
        if isinstance(step, int) and step > 0:
            lines[step] = line
    return lines
