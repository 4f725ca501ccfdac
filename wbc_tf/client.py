"""Cartoonizes files and folders through a model server: ``python -m wbc_tf.client``."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, on_topic, run_command
from wbc_tf.cli.interrupts import Interrupted, interruptible
from wbc_tf.cli.job_flags import define_job_flags, planned_jobs, show_plan, tell_ignored, told
from wbc_tf.cli.picture_flags import define_file_flags, max_pixels
from wbc_tf.cli.pipe import with_pipes
from wbc_tf.inference.jobs import OutputError

if TYPE_CHECKING:
    from wbc_tf.serving.remote import Connection

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
    topic = on_topic("Server", values)
    flags.DEFINE_string("server", None, "host:port for gRPC, http://host:port for REST.", **topic)
    flags.DEFINE_string("model_name", "white_box", "Name of the model on the server.", **topic)
    flags.DEFINE_integer(
        "concurrency", 4, "Number of requests in flight at once.", lower_bound=1, **topic
    )
    flags.DEFINE_integer(
        "retries",
        5,
        "How often to try again while the server cannot be reached or is too busy.",
        lower_bound=0,
        **topic,
    )
    flags.DEFINE_float(
        "deadline",
        120.0,
        "Seconds for one picture, all attempts together.",
        lower_bound=0.001,
        **topic,
    )
    define_job_flags(values)
    define_file_flags(values)
    return values


def main(values: flags.FlagValues) -> int:
    """Cartoonizes as the flags say; returns the exit status."""
    if not values.server:
        raise UsageError("--server, --input and --output are needed. Try --help.")
    return with_pipes(_on_files, values)


def _on_files(values: flags.FlagValues) -> int:
    ignored: list[Path] = []
    jobs = planned_jobs(values, ignored=ignored)
    if values.dry_run:
        show_plan(jobs, overwrite=values.overwrite)
        return OK
    from wbc_tf.serving.remote_photos import cartoonize_remotely  # takes time to import

    stopped = False
    try:
        with closing(_connected(values)) as connection, interruptible(), told(values) as listener:
            try:
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
                tell_ignored(ignored, listener)
            except OutputError as error:
                print(f"client: {error}", file=sys.stderr)
                stopped = True
    except Interrupted as interrupted:
        print("interrupted; the same call goes on where this one stopped", file=sys.stderr)
        return interrupted.status
    print(listener.tally)
    return FAILED if stopped or listener.tally.failed else OK


def _connected(values: flags.FlagValues) -> Connection:
    from wbc_tf.serving.remote import ServerError, connect, with_retries

    try:
        connection = connect(values.server, model_name=values.model_name)
        with_retries(
            lambda seconds: connection.check(timeout=seconds),
            retries=values.retries,
            deadline=values.deadline,
        )
    except ImportError as error:
        raise UsageError(
            f"gRPC needs the extra [serving]: pip install 'wbc_tf[serving]' ({error}). "
            "REST does without: --server=http://host:8501"
        ) from error
    except ServerError as error:
        reason = "cannot be reached" if error.passing else "does not serve the model"
        raise UsageError(f"--server={values.server} {reason}: {error}") from error
    return connection


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
