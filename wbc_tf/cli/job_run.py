"""A run over many files: its plan, who is told, how it is interrupted, and the exit status."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK
from wbc_tf.cli.interrupts import Interrupted, interruptible
from wbc_tf.cli.job_flags import planned_jobs, show_plan, tell_ignored, told
from wbc_tf.inference.jobs import Job, OutputError

if TYPE_CHECKING:
    from wbc_tf.inference.progress import Console


def run_jobs(
    values: flags.FlagValues,
    work: Callable[[list[Job], Console], object],
    *,
    command: str,
    videos: bool = False,
    check: Callable[[list[Job]], None] | None = None,
) -> int:
    """Does the jobs that the flags ask for, tells the user of them, and prints the tally.

    Args:
      values: parsed flags, with those of `define_job_flags`.
      work: (jobs, listener) does them, and tells the listener of each.
      command: its name, for messages.
      videos: take videos too.
      check: is called with the jobs first, and raises `UsageError` for what is not possible.

    Returns:
      The exit status. With --dry_run the jobs are only shown.

    Raises:
      UsageError: a call that makes no sense; or the work's own.
    """
    ignored: list[Path] = []
    jobs = planned_jobs(values, videos=videos, ignored=ignored)
    if check is not None:
        check(jobs)
    if values.dry_run:
        show_plan(jobs, overwrite=values.overwrite)
        return OK
    stopped = False
    try:
        with interruptible(), told(values) as listener:
            try:
                work(jobs, listener)
                tell_ignored(ignored, listener)
            except OutputError as error:
                print(f"{command}: {error}", file=sys.stderr)
                stopped = True
    except Interrupted as interrupted:
        return interrupted_status(interrupted)
    return finished_status(listener, stopped=stopped)


def interrupted_status(interrupted: Interrupted) -> int:
    """Tells the user how an interrupted run goes on; returns the exit status."""
    print("interrupted; the same call goes on where this one stopped", file=sys.stderr)
    return interrupted.status


def finished_status(listener: Console, *, stopped: bool) -> int:
    """Prints the tally; returns the exit status.

    Args:
      listener: was told of all files.
      stopped: the run had to stop early.
    """
    print(listener.tally)
    return FAILED if stopped or listener.tally.failed else OK
