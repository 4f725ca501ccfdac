"""Measures cartoons, or a run's checkpoints: ``python -m wbc_tf.evaluate``."""

from __future__ import annotations

import importlib.metadata
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, run_command
from wbc_tf.evaluation.figures import as_record, table
from wbc_tf.evaluation.pictures import NoPicturesError, PictureFolder
from wbc_tf.files.whole import write_whole
from wbc_tf.methods.runs import RunError, RunNotFoundError, TrainedGenerator, export_generator
from wbc_tf.training.provenance import source_commit

if TYPE_CHECKING:
    from wbc_tf.evaluation.metrics import Evaluator

USAGE = """
Measure how good cartoons are, by how near they come to drawn pictures and stay to their photos.

  python -m wbc_tf.evaluate --generated=cartoons --reference=drawn --photos=photos
  python -m wbc_tf.evaluate --workdir=runs/mine --reference=drawn --photos=photos

The first measures a folder: prints a table, and the same as a line of JSON. Cartoons and photos
belong together by their names but for the extension. The second draws the photos with each
checkpoint that the run still has, and adds curves to its TensorBoard folder; steps that have theirs
are left as they are.

A metric's name says how it is measured; figures under other names do not compare.

Exit status: 0 all measured, 1 pictures were broken or a metric could not be measured (each is named
with its reason), 2 the call made no sense.
"""

#: What can be measured, as `wbc_tf.evaluation.metrics` does it.
METRICS = ("fid", "kid", "style", "flatness", "content")


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    flags.DEFINE_string("generated", None, "Folder of the cartoons to measure.", flag_values=values)
    flags.DEFINE_string(
        "workdir", None, "A training run, to measure its checkpoints.", flag_values=values
    )
    flags.DEFINE_string(
        "reference", None, "Folder of pictures in the style to reach.", flag_values=values
    )
    flags.DEFINE_string(
        "photos", None, "Folder of the photos that the cartoons were made of.", flag_values=values
    )
    flags.DEFINE_list(
        "metrics",
        None,
        f"What to measure: some of {', '.join(METRICS)}, separated by commas; all by default.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "weights",
        "imagenet",
        "Of InceptionV3, for fid and kid: imagenet (downloaded by Keras) or the path of an .h5 "
        "file.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "vgg_weights",
        "imagenet",
        "Of VGG19, for style and content: imagenet (downloaded by Keras) or the path of an .h5 "
        "file.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "json", None, "Write the line of JSON to this file as well.", flag_values=values
    )
    return values


def main(values: flags.FlagValues) -> int:
    """Measures as the flags say; returns the exit status."""
    metrics, folders = _request(values)

    # TensorFlow takes seconds to import; a mistyped flag should not.
    from wbc_tf.artefact.weights import WeightsError
    from wbc_tf.evaluation.metrics import Evaluator

    def evaluator() -> Evaluator:
        return Evaluator(metrics, weights=values.weights, vgg_weights=values.vgg_weights)

    try:
        if values.workdir is None:
            return _measure_folder(evaluator(), metrics, folders, values.json)
        return _measure_run(Path(values.workdir), evaluator, metrics, folders)
    except (NoPicturesError, RunError, WeightsError, OSError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return FAILED


def _request(values: flags.FlagValues) -> tuple[list[str], dict[str, PictureFolder]]:
    """The metrics and the folders that the flags name."""
    if (values.generated is None) == (values.workdir is None):
        raise UsageError("give either --generated or --workdir")
    for label in ("reference", "photos") if values.workdir else ("reference",):
        if not getattr(values, label):
            raise UsageError(f"--{label} is missing: a folder of pictures")
    if values.json:
        if values.workdir:
            raise UsageError("--json: the figures of a run go to evaluation.jsonl in its folder")
        if not Path(values.json).parent.is_dir():
            raise UsageError(f"--json={values.json}: there is no such folder to write to")
    metrics = list(dict.fromkeys(METRICS if values.metrics is None else values.metrics))
    if not metrics or not set(metrics) <= set(METRICS):
        raise UsageError(f"--metrics={','.join(metrics)}: choose from {', '.join(METRICS)}")
    if "content" in metrics and values.metrics is not None and not values.photos:
        raise UsageError("--metrics=content compares cartoons with their photos: give --photos")
    folders = {}
    for label in ("generated", "reference", "photos"):
        folder = getattr(values, label)
        if folder:
            try:
                folders[label] = PictureFolder(folder, label=label)
            except (NotADirectoryError, NoPicturesError) as error:
                raise UsageError(f"--{label}: {error}") from error
    return metrics, folders


def _measure_folder(
    evaluator: Evaluator,
    metrics: Sequence[str],
    folders: Mapping[str, PictureFolder],
    record: str | None,
) -> int:
    # Left out as nobody asked for it, but not in silence.
    left_out = {"content": "--photos is not given"} if "photos" not in folders else {}
    result = evaluator.measure([each for each in metrics if each not in left_out], folders)
    missing = {**result.missing, **{m: why for m, why in left_out.items() if m in metrics}}
    line = json.dumps(
        {
            "figures": as_record(result.figures),
            "not_measured": missing,
            "not_paired": result.alone,
            "pictures": {label: folder.summary() for label, folder in folders.items()},
            **_details(evaluator),
        }
    )
    print(f"{table(result.figures, missing)}\n\n{line}")
    if record:
        write_whole(record, f"{line}\n".encode())
    _tell_alone(result.alone)
    return _status(result.missing, folders)


def _measure_run(
    workdir: Path,
    make_evaluator: Callable[[], Evaluator],
    metrics: Sequence[str],
    folders: Mapping[str, PictureFolder],
) -> int:
    from wbc_tf.evaluation.curves import CurvesError, RunCurves

    try:
        trained = TrainedGenerator(workdir)
        pictures = {
            label: {"folder": str(folder.folder.resolve()), "count": len(folder.files)}
            for label, folder in folders.items()
        }
        curves = RunCurves(workdir, pictures)
    except (RunNotFoundError, CurvesError) as error:
        raise UsageError(f"--workdir: {error}") from error
    checkpoints = trained.checkpoints
    if not checkpoints.kept:
        print(f"evaluate: {workdir}: no checkpoint yet", file=sys.stderr)
        return FAILED
    evaluator = make_evaluator()
    missing: dict[str, str] = dict(evaluator.missing)
    wanted = [metric for metric in metrics if metric not in missing]
    failed = 0
    for step, path in checkpoints.kept.items():
        if step not in checkpoints.kept:
            print(f"step {step}: its checkpoint is gone meanwhile, the run trains on")
            continue
        todo = curves.to_measure(step, wanted)
        if not todo:
            print(f"step {step}: nothing new to measure")
            continue
        with tempfile.TemporaryDirectory(prefix="wbc-evaluate-") as scratch:
            trained.restore(path)
            cartoons, not_drawn = _draw(trained, step, folders["photos"], Path(scratch))
            result = evaluator.measure(todo, {"generated": cartoons, **folders})
        failed += not_drawn
        _tell_alone(result.alone)
        measured = [metric for metric in todo if metric not in result.missing]
        if measured:
            curves.add(step, measured, result.figures, details=_details(evaluator))
        missing.update(result.missing)
        print(f"step {step}\n{table(result.figures, result.missing)}\n")
    print(f"Curves: make tensorboard RUNS={workdir.parent}")
    status = _status(missing, folders)
    return FAILED if failed else status


def _draw(
    trained: TrainedGenerator, step: int, photos: PictureFolder, scratch: Path
) -> tuple[PictureFolder, int]:
    """What the run's generator, as it would be exported now, makes of the photos.

    And how many of them it could not draw, for other reasons than that they are broken.
    """
    from wbc_tf.inference.cartoonizer import Cartoonizer
    from wbc_tf.inference.jobs import InputError, plan_jobs
    from wbc_tf.inference.photos import cartoonize_photos
    from wbc_tf.inference.progress import Console
    from wbc_tf.inference.settings import DrawSettings

    export_generator(trained.record, trained.averaged(), scratch / "model", step=step)
    cartoons = scratch / "cartoons"
    try:
        jobs = plan_jobs([str(photos.folder)], cartoons, recursive=True, file_format="PNG")
    except InputError as error:
        raise UsageError(f"--photos: {error}") from error
    jobs = [job for job in jobs if photos.read(job.source) is not None]
    if not jobs:
        raise NoPicturesError(f"{photos.folder}: none of its pictures can be read")
    cartoonizer = Cartoonizer.load(scratch / "model")
    with Console() as console:
        tally = cartoonize_photos(cartoonizer, jobs, DrawSettings(), listener=console)
    if not tally.written:
        raise NoPicturesError(f"{photos.folder}: none of its pictures could be drawn")
    return PictureFolder(cartoons, label="generated"), tally.failed


def _details(evaluator: Evaluator) -> dict[str, Any]:
    """What a figure depends on beside the pictures."""
    packages = {}
    for package in ("tensorflow", "numpy", "wbc_tf"):
        try:
            packages[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:  # run from a checkout
            packages[package] = "not installed"
    return {"versions": packages, "commit": source_commit(), **evaluator.details}


def _tell_alone(alone: Sequence[str]) -> None:
    for phrase in alone:
        print(f"not compared in content: {phrase}", file=sys.stderr)


def _status(missing: Mapping[str, str], folders: Mapping[str, PictureFolder]) -> int:
    for reason in dict.fromkeys(missing.values()):
        metrics = ", ".join(metric for metric in missing if missing[metric] == reason)
        print(f"{metrics}: not measured: {reason}", file=sys.stderr)
    broken = sum(len(folder.broken) for folder in folders.values())
    if broken:
        print(f"{broken} broken pictures were left out", file=sys.stderr)
    return FAILED if missing or broken else OK


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
