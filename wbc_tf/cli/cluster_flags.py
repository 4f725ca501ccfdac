"""Which cluster works, and which files it makes: a stream, by the flags of `job_flags`."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from wbc_tf.cli.command_line import UsageError, on_topic
from wbc_tf.cli.video_flags import check_videos
from wbc_tf.inference.jobs import InputError, Job
from wbc_tf.inference.report import Entry
from wbc_tf.video.formats import is_video

if TYPE_CHECKING:
    from wbc_tf.distributed.listing import FileJob, Listed


def define_cluster_flags(values: flags.FlagValues) -> None:
    """Flags that say where the work is done."""
    topic = on_topic("Cluster", values)
    flags.DEFINE_string(
        "address",
        "local",
        "Ray cluster: local starts one on this machine alone, auto takes the one that this machine "
        "belongs to, ray://host:10001 one elsewhere.",
        **topic,
    )
    flags.DEFINE_integer(
        "workers",
        None,
        "Number of worker processes. They share the cores of the machines evenly. The default is "
        "one for each machine or, with --gpus_per_worker, as many as the GPUs hold.",
        lower_bound=1,
        **topic,
    )
    flags.DEFINE_float(
        "gpus_per_worker",
        0.0,
        "GPUs of each worker. A fraction, such as 0.5, lets several workers share one.",
        lower_bound=0.0,
        **topic,
    )


def listed_jobs(values: flags.FlagValues) -> Iterator[Listed]:
    """The files, listed while they are read.

    Raises:
      UsageError: a flag is missing, or what they ask for makes no sense; also where the very first
        file shows it.
    """
    if not values.input or not values.output:
        raise UsageError("--input and --output are needed. Try --help.")
    from wbc_tf.distributed.listing import list_jobs
    from wbc_tf.distributed.storage import StorageError

    listed = list_jobs(
        values.input,
        values.output,
        recursive=values.recursive,
        file_format=values.format if values.format == "same" else values.format.upper(),
        strict_names=values.strict_names,
        check=lambda job: _why_not(values, job),
    )
    try:
        first = next(listed, None)
    except (InputError, StorageError) as error:
        raise UsageError(str(error)) from error
    if first is None:
        raise UsageError(f"no pictures or videos in {', '.join(values.input)}")
    if isinstance(first, Entry) and first.error:
        raise UsageError(first.error)
    return itertools.chain([first], listed)


def _why_not(values: flags.FlagValues, job: FileJob) -> str | None:
    """Why a file cannot be made with these flags; None where it can."""
    if values.report and os.path.realpath(values.report) in map(
        os.path.realpath, (job.source, job.target)
    ):
        return f"--report={values.report} would overwrite it; choose another file"
    try:
        check_videos(
            values, [Job(Path(job.source), Path(job.target))] if is_video(job.source) else []
        )
    except UsageError as error:
        return str(error)
    return None


def show_listed(values: flags.FlagValues, listed: Iterator[Listed]) -> None:
    """Prints what --dry_run asks for: a line for each job."""
    from wbc_tf.distributed.storage import storage_of

    for item in listed:
        if isinstance(item, Entry):
            print(item.error or f"{item.source}: {item.notes[0]}", file=sys.stderr)
            continue
        there = not values.overwrite and storage_of(item.target).exists(item.target)
        print(f"{item.source} -> {item.target}{' (there already, skipped)' if there else ''}")
