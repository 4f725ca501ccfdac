"""What a training run has made: its settings, and its generator at any checkpoint it still has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from wbc_tf.files import PathLike
from wbc_tf.methods.registry import method_spec
from wbc_tf.serving.saved_model import save_generator
from wbc_tf.training.checkpoints import RunCheckpoints
from wbc_tf.training.config import TrainingConfig
from wbc_tf.training.optimization import AveragedGenerator
from wbc_tf.training.spec import MethodSpec

#: Stated in ``model.json`` where nobody gave a licence.
NO_LICENCE = "not stated; the training pictures' licences may set limits"


class RunNotFoundError(FileNotFoundError):
    """A folder that holds no training run."""


class RunError(ValueError):
    """A training run that cannot be set up again; the message says why."""


@dataclass(frozen=True)
class RunRecord:
    """What a run's ``config.json`` says.

    Attributes:
      spec: its method.
      config: its settings; fields that are newer than the run have their defaults.
      commit: the code it was started with.
    """

    spec: MethodSpec
    config: TrainingConfig
    commit: str


def read_run(workdir: PathLike) -> RunRecord:
    """A run's record.

    Raises:
      RunNotFoundError: no run there.
      RunError: the record is damaged or of another version.
    """
    recorded = Path(workdir) / "config.json"
    if not recorded.is_file():
        raise RunNotFoundError(f"{workdir}: no training run, config.json is not there")
    try:
        document = json.loads(recorded.read_text("utf-8"))
        spec = method_spec(document["method"])
        config = spec.config.from_json(json.dumps(document["config"]))
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise RunError(f"{recorded}: this run cannot be set up again ({error})") from error
    return RunRecord(spec, config, document.get("commit", "not recorded"))


class TrainedGenerator:
    """A run's generator and its moving average; needs no photos, no VGG and no discriminator.

    Args:
      workdir: the run's folder.

    Raises:
      RunNotFoundError, RunError: see `read_run`.
    """

    def __init__(self, workdir: PathLike) -> None:
        self.record = read_run(workdir)
        config = self.record.config
        build = partial(self.record.spec.exported().build, **config.generator_settings())
        self._average = AveragedGenerator(build, config)
        #: Those that the run still has.
        self.checkpoints = RunCheckpoints(
            Path(workdir) / "checkpoints", self._average.state(), partial=True
        )

    def restore(self, path: str | None = None) -> int:
        """Takes a checkpoint's weights, the newest unless another is named; returns its step.

        Raises:
          FileNotFoundError: there is none.
          WeightsError: it is of another network.
        """
        return self.checkpoints.restore(path)

    def averaged(self) -> tf.keras.Model:
        """The generator as it would be exported now."""
        return self._average.averaged()

    @property
    def kept(self) -> dict[int, str]:
        """Step -> path of each checkpoint that is there now, oldest first."""
        return self.checkpoints.kept

    def export(self, step: int, path: str, directory: PathLike) -> None:
        """Writes a checkpoint's generator (its moving average) as a model directory."""
        self.restore(path)
        export_generator(self.record, self.averaged(), directory, step=step)


def run_metadata(record: RunRecord, *, step: int) -> dict[str, Any]:
    """What ``model.json`` says of a run's generator at a step."""
    return {
        "licence": NO_LICENCE,
        "origin": f"trained for {step} steps",
        "config": json.loads(record.config.to_json()),
        "training_commit": record.commit,
        "step": step,
    }


def export_generator(
    record: RunRecord, generator: tf.keras.Model, directory: PathLike, *, step: int
) -> Path:
    """Writes a run's generator as a model directory's next version; returns its folder.

    Args:
      record: of the run.
      generator: as `Method.averaged_generator` or `TrainedGenerator.averaged` gives it.
      directory: ``NAME``.
      step: that it was trained to.
    """
    metadata = run_metadata(record, step=step)
    return save_generator(record.spec.exported(), generator, directory, metadata=metadata)
