"""Measures cartoons, or the checkpoints of a run: ``python -m wbc_tf.evaluate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, run_command
from wbc_tf.evaluation.config import METRICS, EvaluationConfig, EvaluationError
from wbc_tf.evaluation.pictures import NoPicturesError

USAGE = """
Measure how good cartoons are: how near they are to drawn pictures, and to their photos.

  python -m wbc_tf.evaluate --generated=cartoons --reference=drawn --photos=photos
  python -m wbc_tf.evaluate --workdir=runs/mine --reference=drawn --photos=photos

The first measures a folder and prints a table; --json writes the same to a file. A cartoon belongs
to the photo of the same name; the extensions may differ. The second cartoonizes the photos with
each checkpoint that the run still has, and adds curves to the run's TensorBoard folder. Steps that
have their figures are left as they are.

A metric's name says how it is measured; figures under other names do not compare.

Exit status: 0 all measured, 1 pictures were broken or a metric could not be measured (each is named
with its reason), 2 the call made no sense.
"""

#: Flag -> default and help; all are strings.
_STRINGS = {
    "generated": (None, "Folder of the cartoons to measure."),
    "workdir": (None, "Folder of the training run whose checkpoints are measured."),
    "reference": (None, "Folder of pictures in the style to reach."),
    "photos": (None, "Folder of the photos that the cartoons were made of."),
    "weights": (
        "imagenet",
        "Weights of InceptionV3, for fid and kid: imagenet (downloaded) or the path of an .h5 file",
    ),
    "vgg_weights": (
        "imagenet",
        "Weights of VGG19, for style and content: imagenet (downloaded) or the path of an .h5 file",
    ),
    "json": (None, "Write the figures of --generated to this file, as one line of JSON."),
}


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    for name, (default, text) in _STRINGS.items():
        flags.DEFINE_string(name, default, text, flag_values=values)
    flags.DEFINE_list(
        "metrics",
        None,
        f"What to measure: some of {', '.join(METRICS)}, separated by commas; all by default.",
        flag_values=values,
    )
    return values


def main(values: flags.FlagValues) -> int:
    """Measures as the flags say; returns the exit status."""
    metrics = None if values.metrics is None else tuple(values.metrics)
    try:
        given: dict[str, Any] = {name: values[name].value for name in _STRINGS}
        config = EvaluationConfig(**given, metrics=metrics)
        return OK if _measure(config) else FAILED
    except EvaluationError as error:
        raise UsageError(str(error)) from error


def _measure(config: EvaluationConfig) -> bool:
    # TensorFlow takes seconds to import. An error in the flags is told before that.
    from wbc_tf.artefact.weights import WeightsError
    from wbc_tf.evaluation.folder import measure_folder
    from wbc_tf.evaluation.run import measure_run
    from wbc_tf.methods.runs import RunError, RunNotFoundError, TrainedGenerator

    try:
        if config.workdir is None:
            return measure_folder(config)
        return measure_run(config, Path(config.workdir), TrainedGenerator)
    except RunNotFoundError as error:
        raise UsageError(f"--workdir: {error}") from error
    except (NoPicturesError, RunError, WeightsError, OSError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return False


def run() -> None:
    """Entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
