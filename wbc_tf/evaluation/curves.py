"""Figures of a run's checkpoints: as curves in TensorBoard, and as lines to read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from wbc_tf.evaluation.figures import Figure, as_record
from wbc_tf.files.whole import write_whole


class CurvesError(ValueError):
    """Curves that cannot go on: they are of other pictures, or their record is damaged."""


class RunCurves:
    """The evaluation of one run folder.

    evaluation.jsonl: a line for each time that a checkpoint was measured, with all figures.
    tensorboard/evaluation/: those of the generated pictures as curves ``evaluation/<metric>``. A
    folder of their own, since TensorBoard follows only the newest file of a folder: beside those of
    a run that still trains, its curves would stop.

    Args:
      workdir: the run's folder.
      pictures: the pictures it is measured on, as the record states them.

    Raises:
      CurvesError: the folder has figures on others, or a damaged record of them.
    """

    def __init__(self, workdir: Path, pictures: Mapping[str, Any]) -> None:
        self._record = workdir / "evaluation.jsonl"
        self._folder = workdir / "tensorboard" / "evaluation"
        self._pictures = dict(pictures)
        self._measured: dict[int, set[str]] = {}
        self._lines = self._record.read_text("utf-8") if self._record.exists() else ""
        for line in self._lines.splitlines():
            try:
                before = json.loads(line)
                self._measured.setdefault(before["step"], set()).update(before["metrics"])
            except (ValueError, KeyError, TypeError) as error:
                raise CurvesError(f"{self._record} is damaged ({error!r}); remove it") from error
            if before.get("pictures") != self._pictures:
                raise CurvesError(
                    f"{self._record} has figures on other pictures ({before.get('pictures')}, now "
                    f"{self._pictures}): in one curve they would not compare. Give the same, or "
                    f"remove it and {self._folder} to begin anew"
                )

    def to_measure(self, step: int, metrics: Iterable[str]) -> list[str]:
        """Those of the metrics that a step's curves do not have yet."""
        return [metric for metric in metrics if metric not in self._measured.get(step, ())]

    def add(
        self,
        step: int,
        metrics: Sequence[str],
        figures: Sequence[Figure],
        *,
        details: Mapping[str, Any],
    ) -> None:
        """Adds a step's figures to the curves and to the record.

        Args:
          step: of the checkpoint.
          metrics: which were measured.
          figures: what came out; those of the generated pictures become curves.
          details: for the record: versions and the like.
        """
        writer = tf.summary.create_file_writer(str(self._folder))
        with writer.as_default(step=step):
            for figure in figures:
                if figure.of == "generated":
                    tf.summary.scalar(f"evaluation/{figure.tag}", figure.value)
        writer.close()
        line = {
            "step": step,
            "metrics": list(metrics),
            "figures": as_record(figures),
            "pictures": self._pictures,
            **details,
        }
        self._lines += json.dumps(line) + "\n"
        write_whole(self._record, self._lines.encode())
        self._measured.setdefault(step, set()).update(metrics)
