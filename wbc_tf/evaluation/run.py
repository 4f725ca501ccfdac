"""Measures the checkpoints of a training run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from wbc_tf.evaluation.config import EvaluationConfig, EvaluationError
from wbc_tf.evaluation.curves import CurvesError, RunCurves
from wbc_tf.evaluation.figures import table
from wbc_tf.evaluation.metrics import Evaluator
from wbc_tf.evaluation.pictures import NoPicturesError, PictureFolder
from wbc_tf.evaluation.reporting import name_left_out, name_unpaired, provenance
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.jobs import InputError, plan_jobs
from wbc_tf.inference.photos import cartoonize_photos
from wbc_tf.inference.progress import Console
from wbc_tf.inference.settings import DrawSettings


class RunModels(Protocol):
    """The generators of a run, as far as an evaluation needs them."""

    @property
    def kept(self) -> Mapping[int, str]:
        """Step -> path of each checkpoint that is there now, oldest first."""

    def export(self, step: int, path: str, directory: Path) -> None:
        """Writes a checkpoint's generator (its moving average) as a model directory."""


def measure_run(
    config: EvaluationConfig, workdir: Path, open_run: Callable[[Path], RunModels]
) -> bool:
    """Cartoonizes the photos with each checkpoint and adds its figures to the run's curves.

    Steps that have their figures already are left as they are.

    Args:
      config: with "reference" and "photos".
      workdir: folder of the run.
      open_run: gives the run's generators.

    Returns:
      Whether all was measured; what was not is named on stderr.

    Raises:
      EvaluationError: the curves that are there cannot be continued.
      FileNotFoundError: the run has no checkpoint yet.
      NoPicturesError: a folder in which no picture can be read or cartoonized.
    """
    folders = config.folders
    models = open_run(workdir)
    pictures = {
        label: {"folder": str(folder.folder.resolve()), "count": len(folder.files)}
        for label, folder in folders.items()
    }
    try:
        curves = RunCurves(workdir, pictures)
    except CurvesError as error:
        raise EvaluationError(f"--workdir: {error}") from error
    kept = models.kept
    if not kept:
        raise FileNotFoundError(f"{workdir}: no checkpoint yet")
    evaluator = Evaluator(config.wanted, weights=config.weights, vgg_weights=config.vgg_weights)
    missing = dict(evaluator.missing)
    wanted = [metric for metric in config.wanted if metric not in missing]
    failed = 0
    for step, path in kept.items():
        if step not in models.kept:
            print(f"step {step}: its checkpoint was removed by the running training")
            continue
        todo = curves.to_measure(step, wanted)
        if not todo:
            print(f"step {step}: nothing new to measure")
            continue
        with tempfile.TemporaryDirectory(prefix="wbc-evaluate-") as scratch:
            models.export(step, path, Path(scratch, "model"))
            cartoons, failed_now = _cartoonize(folders["photos"], Path(scratch))
            result = evaluator.measure(todo, {"generated": cartoons, **folders})
        failed += failed_now
        name_unpaired(result.alone)
        measured = [metric for metric in todo if metric not in result.missing]
        if measured:
            details = {**provenance(), **evaluator.details}
            curves.add(step, measured, result.figures, details=details)
        missing.update(result.missing)
        print(f"step {step}\n{table(result.figures, result.missing)}\n")
    print(f"Curves: make tensorboard RUNS={workdir.parent}")
    return name_left_out(missing, folders) and not failed


def _cartoonize(photos: PictureFolder, scratch: Path) -> tuple[PictureFolder, int]:
    """What the model in `scratch` makes of the photos, and how many photos failed.

    Broken photos are not among those that failed: `photos` counts them.
    """
    cartoons = scratch / "cartoons"
    try:
        jobs = plan_jobs([str(photos.folder)], cartoons, recursive=True, file_format="PNG")
    except InputError as error:
        raise EvaluationError(f"--photos: {error}") from error
    jobs = [job for job in jobs if photos.read(job.source) is not None]
    if not jobs:
        raise NoPicturesError(f"{photos.folder}: none of its pictures can be read")
    cartoonizer = Cartoonizer.load(scratch / "model")
    with Console() as console:
        tally = cartoonize_photos(cartoonizer, jobs, DrawSettings(), listener=console)
    if not tally.written:
        raise NoPicturesError(f"{photos.folder}: none of its pictures could be cartoonized")
    return PictureFolder(cartoons, label="generated"), tally.failed
