"""What is measured, and on which pictures. Imports no TensorFlow, so that errors come at once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from wbc_tf.evaluation.pictures import NoPicturesError, PictureFolder

#: What can be measured. "content" looks at pairs of pictures, the others at each picture alone.
METRICS = ("fid", "kid", "style", "flatness", "content")


class EvaluationError(ValueError):
    """A request that makes no sense; nothing was measured. The message names the flag."""


@dataclass(frozen=True)
class EvaluationConfig:
    """A request, checked.

    Attributes:
      generated: folder of the cartoons to measure, or None.
      workdir: folder of the training run to measure instead, or None.
      reference: folder of pictures in the style to reach.
      photos: folder of the photos that the cartoons were made of; a run needs it.
      metrics: some of `METRICS`; None measures all that the folders allow.
      weights: of InceptionV3, see `wbc_tf.evaluation.inception.InceptionFeatures`.
      vgg_weights: of VGG19, see `wbc_tf.losses.perceptual.VggFeatures`.
      json: file for the figures of a folder, or None.
      folders: label -> the pictures of each folder that is given.

    Raises:
      EvaluationError: a folder or flag is missing, unknown or contradicts another.
    """

    generated: str | None
    workdir: str | None
    reference: str | None
    photos: str | None
    metrics: tuple[str, ...] | None = None
    weights: str = "imagenet"
    vgg_weights: str = "imagenet"
    json: str | None = None
    folders: dict[str, PictureFolder] = field(init=False)

    def __post_init__(self) -> None:
        if (self.generated is None) == (self.workdir is None):
            raise EvaluationError("give either --generated or --workdir")
        for label in ("reference", "photos") if self.workdir else ("reference",):
            if not getattr(self, label):
                raise EvaluationError(f"--{label} is missing: a folder of pictures")
        if self.json and self.workdir:
            raise EvaluationError(
                "--json: the figures of a run go to evaluation.jsonl in its folder"
            )
        if self.json and not Path(self.json).parent.is_dir():
            raise EvaluationError(f"--json={self.json}: there is no such folder to write to")
        if self.metrics is not None:
            if not self.metrics or not set(self.metrics) <= set(METRICS):
                raise EvaluationError(
                    f"--metrics={','.join(self.metrics)}: choose from {', '.join(METRICS)}"
                )
            if "content" in self.metrics and not self.photos:
                raise EvaluationError(
                    "--metrics=content compares cartoons with their photos: give --photos"
                )
        folders = {}
        for label in ("generated", "reference", "photos"):
            if folder := getattr(self, label):
                try:
                    folders[label] = PictureFolder(folder, label=label)
                except (NotADirectoryError, NoPicturesError) as error:
                    raise EvaluationError(f"--{label}: {error}") from error
        object.__setattr__(self, "folders", folders)
        if self.json and os.path.realpath(self.json) in self._inputs():
            raise EvaluationError(f"--json={self.json} would overwrite an input")

    def _inputs(self) -> set[str]:
        files = [file for folder in self.folders.values() for file in folder.files]
        return {os.path.realpath(file) for file in files} | {
            os.path.realpath(file) for file in (self.weights, self.vgg_weights)
        }

    @property
    def wanted(self) -> tuple[str, ...]:
        """The metrics to measure, each once."""
        return tuple(dict.fromkeys(METRICS if self.metrics is None else self.metrics))
