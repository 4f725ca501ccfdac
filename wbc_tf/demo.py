"""Cartoonizes the sample photos that scikit-image carries: ``python -m wbc_tf.demo``."""

from __future__ import annotations

import sys
from pathlib import Path

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, run_command

USAGE = """
Cartoonize four sample photos and lay them out side by side, before and after.

  python -m wbc_tf.demo [--output=demo] [--model=white_box]
  python -m wbc_tf.demo --sheet=docs/images/gallery.jpg
"""

#: Height of a row on the sheet, in pixels: thin lines are lost where pictures are reduced.
ROW_HEIGHT = 512


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    flags.DEFINE_string("output", "demo", "Folder to write to.", flag_values=values)
    flags.DEFINE_string(
        "sheet",
        "",
        "Picture file for before and after; by default contact_sheet.png in --output.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "model", "white_box", "Model directory, or the name of one.", flag_values=values
    )
    return values


def main(values: flags.FlagValues) -> int:
    """Writes photos, cartoons and the contact sheet; returns the exit status."""
    from wbc_tf.artefact.model_directory import ModelNotFoundError
    from wbc_tf.comparison.contact_sheet import contact_sheet
    from wbc_tf.files.pictures import read_rgb, write_image
    from wbc_tf.files.samples import write_samples
    from wbc_tf.inference.cartoonizer import Cartoonizer
    from wbc_tf.inference.jobs import plan_jobs
    from wbc_tf.inference.photos import cartoonize_photos
    from wbc_tf.inference.progress import Console
    from wbc_tf.inference.settings import DrawSettings

    try:
        cartoonizer = Cartoonizer.load(values.model)
    except ModelNotFoundError as error:
        raise UsageError(str(error)) from error
    output = Path(values.output)
    photos, cartoons = output / "photos", output / "cartoons"
    photos.mkdir(parents=True, exist_ok=True)
    write_samples(photos)
    jobs = plan_jobs([str(photos)], cartoons)
    with Console() as console:
        tally = cartoonize_photos(
            cartoonizer, jobs, DrawSettings(), overwrite=True, listener=console
        )
    if tally.failed:
        return FAILED
    sheet = Path(values.sheet) if values.sheet else output / "contact_sheet.png"
    columns = {
        "photo": [read_rgb(job.source) for job in jobs],
        "cartoon": [read_rgb(job.target) for job in jobs],
    }
    write_image(sheet, contact_sheet(columns, height=ROW_HEIGHT))
    print(f"{tally.written} cartoons in {cartoons}; before and after: {sheet}")
    return OK


def run() -> None:
    """Entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
