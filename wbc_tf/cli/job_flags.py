"""Input and output files: the flags of every command that makes files from files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from wbc_tf.cli.command_line import UsageError, on_topic
from wbc_tf.files.formats import FORMATS
from wbc_tf.inference.jobs import InputError, Job, plan_jobs, refuse_overwriting
from wbc_tf.inference.report import Report, ignored_entry

if TYPE_CHECKING:
    from wbc_tf.inference.progress import Console, Listener

_TOPIC = "Files"


def define_job_flags(values: flags.FlagValues, *, urls: bool = False) -> None:
    """Flags for `planned_jobs`.

    Args:
      values: where to define them.
      urls: the command takes URLs of object stores, and no pipes.
    """
    topic = on_topic(_TOPIC, values)
    flags.DEFINE_multi_string(
        "input",
        [],
        "File, folder or glob pattern to read, "
        + (
            "or a URL (s3://, gs://) of one. May be given several times."
            if urls
            else "or - for one picture from standard input. May be given several times."
        ),
        **topic,
    )
    flags.DEFINE_string(
        "output",
        None,
        "Folder to write to"
        + (
            ", or a URL (s3://, gs://). For a single input file it may be a file name."
            if urls
            else ". For a single input file it may be a file name, and for a single picture -, "
            "which is standard output."
        ),
        **topic,
    )
    flags.DEFINE_boolean(
        "recursive",
        False,
        "Take the folders inside input folders too. The output keeps their tree.",
        **topic,
    )
    flags.DEFINE_enum(
        "format",
        "same",
        ["same", *(name.lower() for name in FORMATS)],
        "File format of the pictures to write. 'same' keeps the format of each photo.",
        **topic,
    )
    flags.DEFINE_boolean(
        "overwrite",
        False,
        "Write again the results that are there already. Without it they are skipped.",
        **topic,
    )
    flags.DEFINE_boolean(
        "strict_names",
        False,
        "Refuse inputs that would become the same file. Without it the second keeps its whole "
        "name: a.png and a.bmp become a.jpg and a.bmp.jpg.",
        **topic,
    )
    flags.DEFINE_boolean(
        "dry_run", False, "Show which file would become which, and write nothing.", **topic
    )
    flags.DEFINE_string(
        "report",
        None,
        "Write one line of JSON for each file to this file: status, size, seconds, notes, error.",
        **topic,
    )


def planned_jobs(
    values: flags.FlagValues, *, videos: bool = False, ignored: list[Path] | None = None
) -> list[Job]:
    """The jobs that the flags ask for.

    Args:
      values: parsed flags, from `define_job_flags`.
      videos: take videos too.
      ignored: see `plan_jobs`.

    Raises:
      UsageError: a flag is missing, or what they ask for makes no sense.
    """
    if not values.input or not values.output:
        raise UsageError("--input and --output are needed. Try --help.")
    file_format = values.format if values.format == "same" else values.format.upper()
    try:
        jobs = plan_jobs(
            values.input,
            values.output,
            recursive=values.recursive,
            file_format=file_format,
            videos=videos,
            strict_names=values.strict_names,
            ignored=ignored,
        )
        if values.report:
            refuse_overwriting(values.report, "--report", jobs)
    except InputError as error:
        raise UsageError(str(error)) from error
    return jobs


def show_plan(jobs: list[Job], *, overwrite: bool) -> None:
    """Prints what --dry_run asks for: a line for each job."""
    for job in jobs:
        skipped = os.path.lexists(job.target) and not overwrite
        print(f"{job.source} -> {job.target}{' (there already, skipped)' if skipped else ''}")


@contextlib.contextmanager
def told(values: flags.FlagValues) -> Iterator[Console]:
    """Within, the listener that tells the user, and that writes --report if there is one.

    Raises:
      UsageError: --report cannot be written.
    """
    from wbc_tf.inference.progress import Console  # takes time to import

    with contextlib.ExitStack() as stack:
        report = None
        if values.report:
            try:
                report = stack.enter_context(Report(values.report))
            except OSError as error:
                raise UsageError(f"--report={values.report}: {error.strerror}") from error
        yield stack.enter_context(Console(report))


def tell_ignored(paths: Sequence[Path], listener: Listener) -> None:
    """Tells of the files that were left out because of their endings."""
    for path in paths:
        listener.done(ignored_entry(path))
