"""Cartoonizes on a Ray cluster: ``python -m wbc_tf.cluster``."""

from __future__ import annotations

import sys

from absl import flags

from wbc_tf.cli.cluster_flags import define_cluster_flags
from wbc_tf.cli.cluster_run import run_on_cluster
from wbc_tf.cli.command_line import new_flags, run_command
from wbc_tf.cli.job_flags import define_job_flags
from wbc_tf.cli.model_flags import define_model_flags
from wbc_tf.cli.picture_flags import define_picture_flags
from wbc_tf.cli.video_flags import define_video_flags

USAGE = """
Turn photos and videos into cartoons on several machines, with Ray.

  python -m wbc_tf.cluster --input=photos --output=cartoons --workers=2
  python -m wbc_tf.cluster --input=s3://bucket/photos --output=s3://bucket/cartoons --recursive \\
      --address=auto
  python -m wbc_tf.cluster --input=film.mkv --output=cartoon.mkv --address=auto

Inputs and outputs are folders that every machine has, or URLs of object stores (s3://, gs://).
Needs the extra [cluster]. The flags are those of cartoonize.py, and the same photo becomes the same
file. Videos are always made in segments, by all workers together. What a lost worker had is done
again by another. Ctrl-C stops; the same call goes on where it stopped.

Exit status: 0 all done, 1 some files failed (each is named) or the run stopped early, 2 the call
made no sense, 129, 130 or 143 interrupted.
"""


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    define_cluster_flags(values)
    define_job_flags(values, urls=True)
    define_picture_flags(values)
    define_model_flags(values)
    define_video_flags(values)
    return values


def main(values: flags.FlagValues) -> int:
    """Cartoonizes as the flags say; returns the exit status."""
    return run_on_cluster(values)


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
