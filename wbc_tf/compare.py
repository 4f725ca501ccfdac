"""Shows photos and the cartoons made of them side by side: ``python -m wbc_tf.compare``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, run_command
from wbc_tf.comparison.columns import ComparisonError, folders_by_name
from wbc_tf.comparison.compare import SHEET_ROWS, ComparisonConfig, compare
from wbc_tf.inference.jobs import InputError, refuse_unwritable

USAGE = f"""
Compare photos with cartoons of them, on a contact sheet and on a page with sliders.

  python -m wbc_tf.compare --photos=photos mine=cartoons --output=comparison
  python -m wbc_tf.compare --photos=photos mine=cartoons theirs=others --output=comparison
  python -m wbc_tf.compare --photos=photos --model=white_box --model=models/authors --output=out

A column is a folder of pictures that are named as their photos are (extensions may differ), or a
model, which cartoonizes the photos. Writes comparison.html, one file that needs no network, and
contact_sheet.png, which shows the first {SHEET_ROWS} photos.

Exit status: 0 all compared, 1 some photos left out (each is named with its reason), 2 the call made
no sense.
"""


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    flags.DEFINE_string("photos", None, "Folder of the photos.", flag_values=values)
    flags.DEFINE_multi_string(
        "column",
        [],
        "NAME=FOLDER: pictures to show beside the photos; repeatable. --column= may be left out.",
        flag_values=values,
    )
    flags.DEFINE_multi_string(
        "model",
        [],
        "Model directory, or the name of a model in pretrained_models/; repeatable.",
        flag_values=values,
    )
    flags.DEFINE_string("output", None, "Folder to write the result to.", flag_values=values)
    flags.DEFINE_integer(
        "height",
        640,
        "Height of the page's pictures in pixels; smaller ones stay. 640 takes about 190 KB each.",
        lower_bound=16,
        flag_values=values,
    )
    return values


def main(values: flags.FlagValues) -> int:
    """Compares as the flags say; returns the exit status."""
    if not values.photos or not values.output:
        raise UsageError("--photos and --output are needed")
    if not values.column and not values.model:
        raise UsageError("nothing to compare the photos with: give NAME=FOLDER or --model")
    output = Path(values.output)
    try:
        refuse_unwritable(output)
        config = ComparisonConfig(
            photos=Path(values.photos),
            folders=folders_by_name(values.column),
            models=values.model,
            output=output,
            height=values.height,
        )
        result = compare(config, load_model=_load)
    except (ComparisonError, InputError) as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        print(f"{output}: cannot write there ({error.strerror})", file=sys.stderr)
        return FAILED
    print(result, file=sys.stdout if result.compared else sys.stderr)
    return FAILED if result.left_out else OK


def _load(version: Path) -> Callable[[np.ndarray], np.ndarray]:
    # TensorFlow takes seconds to import; a comparison of folders does without it.
    from wbc_tf.inference.cartoonizer import Cartoonizer

    return Cartoonizer.load(version)


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE, arguments="column"))


if __name__ == "__main__":
    run()
