"""Cartoonizes photos and videos, folders and patterns: ``python cartoonize.py``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, new_flags, run_command
from wbc_tf.cli.interrupts import Interrupted, interruptible
from wbc_tf.cli.job_flags import define_job_flags, planned_jobs, show_plan, tell_ignored, told
from wbc_tf.cli.model_flags import define_model_flags, load_cartoonizer
from wbc_tf.cli.picture_flags import define_picture_flags, draw_settings, max_pixels
from wbc_tf.cli.pipe import with_pipes
from wbc_tf.cli.video_flags import check_videos, define_video_flags, video_settings
from wbc_tf.cli.webcam import asks_for_webcam, show_webcam
from wbc_tf.inference.jobs import Job, OutputError
from wbc_tf.video.formats import is_video

if TYPE_CHECKING:
    from wbc_tf.inference.progress import Console

USAGE = """
Turn photos and videos into cartoons.

  python cartoonize.py --input=photos --output=cartoons
  python cartoonize.py --input=me.jpg --output=me.png --model=models/authors
  python cartoonize.py --input='holiday/*.jpg' --input=cat.png --output=cartoons --short_side=0
  python cartoonize.py --input=clip.mp4 --output=cartoon.mp4 --stabilize
  python cartoonize.py --input=- --output=- < me.jpg > cartoon.jpg
  python cartoonize.py --input=0

Animations stay animations; transparency, EXIF and XMP are kept; results are sRGB. Videos keep their
sound, subtitles, chapters, tags and the time of each frame. A number as input is a webcam, shown
live. Ctrl-C stops; the same call goes on where it stopped.

Exit status: 0 all done, 1 some files failed (each is named) or the disk did, 2 the call made no
sense, 129, 130 or 143 interrupted.
"""


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    define_job_flags(values)
    define_picture_flags(values)
    define_model_flags(values)
    define_video_flags(values)
    return values


def main(values: flags.FlagValues) -> int:
    """Cartoonizes as the flags say; returns the exit status."""
    if asks_for_webcam(values):
        return show_webcam(values)
    return with_pipes(_on_files, values)


def _on_files(values: flags.FlagValues) -> int:
    ignored: list[Path] = []
    jobs = planned_jobs(values, videos=True, ignored=ignored)
    videos = [job for job in jobs if is_video(job.source)]
    photos = [job for job in jobs if not is_video(job.source)]
    check_videos(values, videos)
    if values.dry_run:
        show_plan(jobs, overwrite=values.overwrite)
        return OK
    try:
        with interruptible(), told(values) as listener:
            return _cartoonize(values, photos, videos, ignored, listener)
    except Interrupted as interrupted:
        print("interrupted; the same call goes on where this one stopped", file=sys.stderr)
        return interrupted.status


def _cartoonize(
    values: flags.FlagValues,
    photos: list[Job],
    videos: list[Job],
    ignored: list[Path],
    listener: Console,
) -> int:
    cartoonizer = load_cartoonizer(values)
    # Imported now: a mistyped flag should not wait for them.
    from wbc_tf.inference.photos import cartoonize_photos

    stopped = False
    try:
        cartoonize_photos(
            cartoonizer,
            photos,
            draw_settings(values),
            quality=values.quality,
            overwrite=values.overwrite,
            max_pixels=max_pixels(values),
            listener=listener,
        )
        if videos:
            from wbc_tf.inference.videos import cartoonize_videos  # needs PyAV

            settings = video_settings(values)
            cartoonize_videos(
                cartoonizer, videos, settings, overwrite=values.overwrite, listener=listener
            )
        tell_ignored(ignored, listener)
    except OutputError as error:
        print(f"cartoonize: {error}", file=sys.stderr)
        stopped = True
    print(listener.tally)
    return FAILED if stopped or listener.tally.failed else OK


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
