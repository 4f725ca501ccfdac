"""Cartoonizes files, folders and patterns: ``python cartoonize.py``."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from absl import flags
from PIL import Image

from wbc_tf.command_line import FAILED, OK, UsageError, new_flags, run_command
from wbc_tf.inference.folder import InputError, Job, define_job_flags, plan_jobs
from wbc_tf.inference.pipeline import OutputError, cartoonize_files
from wbc_tf.inference.report import Report

USAGE = """
Turn photos into cartoons.

  python cartoonize.py --input=photos --output=cartoons
  python cartoonize.py --input=me.jpg --output=me.png --model=models/authors
  python cartoonize.py --input='holiday/*.jpg' --input=cat.png --output=cartoons --short_side=0

Animations stay animations, transparency, EXIF and XMP are kept; results are sRGB. Ctrl-C stops; the
same call goes on where it stopped.

Exit status: 0 all done, 1 some pictures failed (each is named) or the disk did, 2 the call made no
sense, 130 or 143 interrupted.
"""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or the SIGTERM of whoever manages the machine."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number  # as shells have it


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    define_job_flags(values)
    flags.DEFINE_string(
        "model",
        "white_box",
        "Model directory, or the name of one in pretrained_models/.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "short_side",
        720,
        "Working resolution: larger pictures are reduced to this short side for the network. "
        "0 works at each picture's own size.",
        lower_bound=0,
        flag_values=values,
    )
    flags.DEFINE_enum(
        "output_size",
        "input",
        ["input", "working"],
        "Size of the result: the photo's own, or the working resolution.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "quality",
        95,
        "Quality of JPEG and WebP files.",
        lower_bound=1,
        upper_bound=100,
        flag_values=values,
    )
    flags.DEFINE_float(
        "max_megapixels",
        200.0,
        "Refuse larger pictures, all frames of an animation together: a small file can hold more "
        "pixels than there is memory. Raise it for pictures that you trust.",
        lower_bound=0.000001,
        flag_values=values,
    )
    flags.DEFINE_enum(
        "device",
        "auto",
        ["auto", "cpu", "gpu"],
        "Where the network runs; auto takes a GPU if there is one.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "report",
        None,
        "Write a line of JSON for each picture to this file: status, size, seconds, error.",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "precision",
        "float32",
        ["float32", "bfloat16", "float16", "auto"],
        "Of the network; the guided filter is always in float32. bfloat16 is for CPUs with the "
        "instructions for it, float16 for GPUs, and auto takes what is fastest here. Half "
        "precision moves some pixels by a grey level or two.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "memory_budget",
        1024,
        "Megabytes for the network's work; larger pictures are worked on in tiles, to the same "
        "result. The program and the pictures themselves come on top, 0.6 GB for most photos.",
        lower_bound=1,
        flag_values=values,
    )
    return values


def main(values: flags.FlagValues) -> int:
    """Cartoonizes as the flags say; returns the exit status."""
    if not values.input or not values.output:
        raise UsageError("--input and --output are needed")
    file_format = values.format if values.format == "same" else values.format.upper()
    try:
        jobs = plan_jobs(
            values.input, values.output, recursive=values.recursive, file_format=file_format
        )
    except InputError as error:
        raise UsageError(str(error)) from error

    # Ours takes the place of Pillow's own limit: it is a flag, and it counts all frames.
    Image.MAX_IMAGE_PIXELS = None
    try:
        report = Report(values.report) if values.report else None
    except OSError as error:
        raise UsageError(f"--report={values.report}: {error.strerror}") from error
    try:
        with report or contextlib.nullcontext(), _interruptible():
            return _cartoonize(values, jobs, report)
    except Interrupted as interrupted:
        print("interrupted; the same call goes on where this one stopped", file=sys.stderr)
        return interrupted.status


def _cartoonize(values: flags.FlagValues, jobs: list[Job], report: Report | None) -> int:
    # TensorFlow takes seconds to import; a mistyped flag should not.
    from wbc_tf.inference.cartoonizer import Cartoonizer, MemoryBudgetError
    from wbc_tf.inference.device import DeviceError, use_device
    from wbc_tf.inference.precision import PrecisionError
    from wbc_tf.model_directory import ModelNotFoundError

    try:
        use_device(values.device)
        cartoonizer = Cartoonizer.load(
            values.model, precision=values.precision, memory_budget=values.memory_budget
        )
        tally = cartoonize_files(
            cartoonizer,
            jobs,
            short_side=values.short_side,
            output_size=values.output_size,
            quality=values.quality,
            overwrite=values.overwrite,
            max_pixels=round(values.max_megapixels * 1e6),
            report=report,
        )
    except (DeviceError, MemoryBudgetError, ModelNotFoundError, PrecisionError) as error:
        raise UsageError(str(error)) from error
    except OutputError as error:
        print(f"cartoonize: {error}", file=sys.stderr)
        return FAILED
    print(tally)
    return FAILED if tally.failed else OK


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Within, SIGINT and SIGTERM raise `Interrupted`, so that nothing is left half done."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    before = {n: signal.signal(n, interrupt) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
