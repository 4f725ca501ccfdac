"""Cartoonizes files and folders through a model server: ``python -m wbc_tf.client``."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

from absl import flags

from wbc_tf.cli.command_line import UsageError, new_flags, run_command
from wbc_tf.cli.job_flags import define_job_flags
from wbc_tf.cli.job_run import run_jobs
from wbc_tf.cli.picture_flags import define_file_flags, max_pixels
from wbc_tf.cli.pipe import with_pipes
from wbc_tf.cli.server_flags import connected, define_server_flags
from wbc_tf.inference.jobs import Job

if TYPE_CHECKING:
    from wbc_tf.inference.progress import Listener

USAGE = """
Turn photos into cartoons on a server that runs an exported model.

  python -m wbc_tf.client --server=localhost:8500 --input=photos --output=cartoons
  python -m wbc_tf.client --server=http://localhost:8501 --input=me.jpg --output=me.png

The first speaks gRPC and needs the extra [serving], the second REST. Working resolution and size of
the results were fixed when the model was exported.

Exit status: 0 all done, 1 some pictures failed (each is named), 2 the call made no sense.
"""


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    define_server_flags(values)
    define_job_flags(values)
    define_file_flags(values)
    return values


def main(values: flags.FlagValues) -> int:
    """Cartoonizes as the flags say; returns the exit status."""
    if not values.server:
        raise UsageError("--server, --input and --output are needed. Try --help.")
    return with_pipes(_on_files, values)


def _on_files(values: flags.FlagValues) -> int:
    return run_jobs(
        values, lambda jobs, listener: _cartoonize(values, jobs, listener), command="client"
    )


def _cartoonize(values: flags.FlagValues, jobs: list[Job], listener: Listener) -> None:
    from wbc_tf.serving.remote_photos import cartoonize_remotely  # takes time to import

    with closing(connected(values)) as connection:
        cartoonize_remotely(
            connection,
            jobs,
            concurrency=values.concurrency,
            retries=values.retries,
            deadline=values.deadline,
            quality=values.quality,
            overwrite=values.overwrite,
            max_pixels=max_pixels(values),
            listener=listener,
        )


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
