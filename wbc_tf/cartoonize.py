"""Cartoonizes photos and videos, folders and patterns: ``python cartoonize.py``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from absl import flags

from wbc_tf.cli.command_line import new_flags, run_command
from wbc_tf.cli.job_flags import define_job_flags
from wbc_tf.cli.job_run import run_jobs
from wbc_tf.cli.model_flags import define_model_flags, load_cartoonizer
from wbc_tf.cli.picture_flags import define_picture_flags, draw_settings, max_pixels
from wbc_tf.cli.pipe import with_pipes
from wbc_tf.cli.video_flags import check_videos, define_video_flags, video_settings
from wbc_tf.cli.webcam import asks_for_webcam, show_webcam
from wbc_tf.inference.jobs import Job
from wbc_tf.video.formats import is_video

if TYPE_CHECKING:
    from wbc_tf.inference.progress import Listener

USAGE = """
Turn photos and videos into cartoons.

  python cartoonize.py --input=photos --output=cartoons
  python cartoonize.py --input=me.jpg --output=me.png --model=models/authors
  python cartoonize.py --input='holiday/*.jpg' --input=cat.png --output=cartoons --short_side=0
  python cartoonize.py --input=clip.mp4 --output=cartoon.mp4 --stabilize
  python cartoonize.py --input=- --output=- < me.jpg > cartoon.jpg
  python cartoonize.py --input=0

Animations stay animations in GIF, WebP and PNG; transparency, EXIF and XMP are kept; results are
sRGB. Videos keep their sound, subtitles, chapters, tags and the time of each frame. A number as
input is a webcam, shown live. Ctrl-C stops; the same call goes on where it stopped.

Exit status: 0 all done, 1 some files failed (each is named) or the disk did, 2 the call made no
sense, 129, 130 or 143 interrupted.
"""


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    for define in (define_job_flags, define_picture_flags, define_model_flags, define_video_flags):
        define(values)
    return values


def main(values: flags.FlagValues) -> int:
    """Cartoonizes as the flags say; returns the exit status."""
    if asks_for_webcam(values):
        return show_webcam(values)
    return with_pipes(_on_files, values)


def _on_files(values: flags.FlagValues) -> int:
    return run_jobs(
        values,
        lambda jobs, listener: _cartoonize(values, jobs, listener),
        command="cartoonize",
        videos=True,
        check=lambda jobs: check_videos(values, [job for job in jobs if is_video(job.source)]),
    )


def _cartoonize(values: flags.FlagValues, jobs: list[Job], listener: Listener) -> None:
    videos = [job for job in jobs if is_video(job.source)]
    photos = [job for job in jobs if not is_video(job.source)]
    cartoonizer = load_cartoonizer(values)
    # Imported now: a mistyped flag should not wait for them.
    from wbc_tf.inference.photos import cartoonize_photos

    overwrite = values.overwrite
    cartoonize_photos(
        cartoonizer,
        photos,
        draw_settings(values),
        quality=values.quality,
        overwrite=overwrite,
        max_pixels=max_pixels(values),
        listener=listener,
    )
    if videos:
        from wbc_tf.inference.videos import cartoonize_videos  # needs PyAV

        settings = video_settings(values)
        cartoonize_videos(cartoonizer, videos, settings, overwrite=overwrite, listener=listener)


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
