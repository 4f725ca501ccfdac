"""Cartoonizes photos and videos, folders and patterns: ``python cartoonize.py``."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from absl import flags
from PIL import Image

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, run_command
from wbc_tf.cli.job_flags import define_job_flags
from wbc_tf.inference.jobs import InputError, Job, OutputError, Tally, plan_jobs
from wbc_tf.inference.photos import cartoonize_photos
from wbc_tf.inference.progress import Console, Listener, Listeners
from wbc_tf.inference.report import Report
from wbc_tf.inference.settings import DrawSettings
from wbc_tf.video.formats import (
    CODECS,
    PRESETS,
    PyAVError,
    check_pyav,
    container_of,
    encoder_options,
    is_video,
)
from wbc_tf.video.webcam import WebcamError, check_display, is_webcam, preview

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer

USAGE = """
Turn photos and videos into cartoons.

  python cartoonize.py --input=photos --output=cartoons
  python cartoonize.py --input=me.jpg --output=me.png --model=models/authors
  python cartoonize.py --input='holiday/*.jpg' --input=cat.png --output=cartoons --short_side=0
  python cartoonize.py --input=clip.mp4 --output=cartoon.mp4 --stabilize
  python cartoonize.py --input=0

Animations stay animations, transparency, EXIF and XMP are kept; results are sRGB. Videos keep their
sound, subtitles, chapters, tags and the time of each frame. A number is a webcam, shown live.
Ctrl-C stops; the same call goes on where it stopped.

Exit status: 0 all done, 1 some files failed (each is named) or the disk did, 2 the call made no
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
        "Refuse larger pictures, all frames of an animation together, and videos of larger frames: "
        "a small file can hold more pixels than fit into memory. Raise it for files you trust.",
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
        "Write a line of JSON for each file to this one: status, size, seconds, error.",
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
    _define_video_flags(values)
    return values


def _define_video_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_enum(
        "codec",
        "auto",
        ["auto", *CODECS],
        "Of videos. auto is H.264, and VP9 in WebM; ffv1 is lossless, for MKV and AVI.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "crf",
        None,
        "Quality of videos, lower is better; by default 18 with H.264, 20 with H.265, 24 with VP9 "
        "and AV1.",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "preset",
        "medium",
        list(PRESETS),
        "Of videos: the slower, the smaller the file.",
        flag_values=values,
    )
    flags.DEFINE_float(
        "start",
        0.0,
        "Seconds to leave out at the beginning of videos.",
        lower_bound=0.0,
        flag_values=values,
    )
    flags.DEFINE_float(
        "duration",
        None,
        "Seconds of videos to take; else to the end.",
        lower_bound=0.000001,
        flag_values=values,
    )
    flags.DEFINE_boolean(
        "stabilize",
        False,
        "Lower the flicker of videos: where the scene is the same, a frame leans on the last one.",
        flag_values=values,
    )


def main(values: flags.FlagValues) -> int:
    """Cartoonizes as the flags say; returns the exit status."""
    if len(values.input) == 1 and is_webcam(values.input[0]):
        return _show_webcam(values)
    if not values.input or not values.output:
        raise UsageError("--input and --output are needed")
    file_format = values.format if values.format == "same" else values.format.upper()
    try:
        jobs = plan_jobs(
            values.input,
            values.output,
            recursive=values.recursive,
            file_format=file_format,
            videos=True,
        )
    except InputError as error:
        raise UsageError(str(error)) from error
    _check_videos(values, [job for job in jobs if is_video(job.source)])

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


def _show_webcam(values: flags.FlagValues) -> int:
    if values.output:
        raise UsageError(f"--input={values.input[0]} is a webcam, which is shown and not stored")
    try:
        check_display()
        with _interruptible():
            cartoonizer = _load(values)
            preview(
                lambda rgb: cartoonizer(
                    rgb, short_side=values.short_side, output_size=values.output_size
                ),
                int(values.input[0]),
                stabilize=values.stabilize,
            )
    except WebcamError as error:
        raise UsageError(str(error)) from error
    except Interrupted:
        pass  # as good a way to end it as any
    return OK


def _check_videos(values: flags.FlagValues, jobs: list[Job]) -> None:
    """Before anything is written: what is asked of videos must be possible for all of them."""
    if not jobs:
        return
    try:
        check_pyav()
        for job in jobs:
            possible = container_of(job.target).codecs
            codec = possible[0] if values.codec == "auto" else values.codec
            if codec not in possible:
                raise UsageError(
                    f"--codec={codec}: {job.target} can be {' or '.join(possible)}; choose another "
                    "codec or, for a single video, another --output"
                )
            encoder_options(codec, crf=values.crf, preset=values.preset)
    except PyAVError as error:
        raise UsageError(str(error)) from error
    except ValueError as error:
        raise UsageError(f"--crf={values.crf}: {error}") from error


def _cartoonize(values: flags.FlagValues, jobs: list[Job], report: Report | None) -> int:
    cartoonizer = _load(values)
    try:
        with Console() as console:
            listener = Listeners(console, report) if report else console
            tally = _make_photos(values, cartoonizer, jobs, listener)
            tally += _make_videos(values, cartoonizer, jobs, listener)
    except OutputError as error:
        print(f"cartoonize: {error}", file=sys.stderr)
        return FAILED
    print(tally)
    return FAILED if tally.failed else OK


def _load(values: flags.FlagValues) -> Cartoonizer:
    # TensorFlow takes seconds to import; a mistyped flag should not.
    from wbc_tf.artefact.model_directory import ModelNotFoundError
    from wbc_tf.inference.cartoonizer import Cartoonizer, MemoryBudgetError
    from wbc_tf.inference.device import DeviceError, use_device
    from wbc_tf.inference.precision import PrecisionError

    try:
        use_device(values.device)
        return Cartoonizer.load(
            values.model, precision=values.precision, memory_budget=values.memory_budget
        )
    except (DeviceError, MemoryBudgetError, ModelNotFoundError, PrecisionError) as error:
        raise UsageError(str(error)) from error


def _make_photos(
    values: flags.FlagValues, cartoonizer: Cartoonizer, jobs: list[Job], listener: Listener
) -> Tally:
    photos = [job for job in jobs if not is_video(job.source)]
    if not photos:
        return Tally()
    return cartoonize_photos(
        cartoonizer,
        photos,
        DrawSettings(short_side=values.short_side, output_size=values.output_size),
        quality=values.quality,
        overwrite=values.overwrite,
        max_pixels=round(values.max_megapixels * 1e6),
        listener=listener,
    )


def _make_videos(
    values: flags.FlagValues, cartoonizer: Cartoonizer, jobs: list[Job], listener: Listener
) -> Tally:
    videos = [job for job in jobs if is_video(job.source)]
    if not videos:
        return Tally()
    from wbc_tf.inference.videos import VideoSettings, cartoonize_videos  # needs PyAV

    settings = VideoSettings(
        draw=DrawSettings(short_side=values.short_side, output_size=values.output_size),
        codec=None if values.codec == "auto" else values.codec,
        crf=values.crf,
        preset=values.preset,
        start=values.start,
        duration=values.duration,
        stabilize=values.stabilize,
        max_pixels=round(values.max_megapixels * 1e6),
    )
    return cartoonize_videos(
        cartoonizer, videos, settings, overwrite=values.overwrite, listener=listener
    )


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
