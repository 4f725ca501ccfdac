"""Cartoonizes on a Ray cluster: ``python -m wbc_tf.cluster``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from absl import flags

from wbc_tf.cli.cluster_flags import define_cluster_flags, listed_jobs, show_listed
from wbc_tf.cli.command_line import OK, UsageError, new_flags, run_command
from wbc_tf.cli.interrupts import Interrupted, interruptible
from wbc_tf.cli.job_flags import define_job_flags, told
from wbc_tf.cli.job_run import finished_status, interrupted_status
from wbc_tf.cli.model_flags import define_model_flags
from wbc_tf.cli.picture_flags import define_picture_flags
from wbc_tf.cli.video_flags import define_video_flags, video_settings
from wbc_tf.inference.jobs import OutputError

if TYPE_CHECKING:
    from wbc_tf.distributed.listing import Listed
    from wbc_tf.inference.progress import Console

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
    define_job_flags(values)
    define_picture_flags(values)
    define_model_flags(values)
    define_video_flags(values)
    return values


def main(values: flags.FlagValues) -> int:
    """Cartoonizes as the flags say; returns the exit status."""
    listed = listed_jobs(values)
    if values.dry_run:
        show_listed(values, listed)
        return OK
    try:
        from wbc_tf.distributed.engine import EngineError, connected
    except ImportError as error:
        raise UsageError(
            f"this needs the extra [cluster]: pip install 'wbc_tf[cluster]' ({error})"
        ) from error
    try:
        with (
            told(values) as listener,
            connected(values.address, verbose=values.verbose),
            interruptible(),
        ):
            stopped = _cartoonize(values, listed, listener)
    except EngineError as error:
        raise UsageError(str(error)) from error
    except Interrupted as interrupted:
        return interrupted_status(interrupted)
    return finished_status(listener, stopped=stopped)


def _cartoonize(values: flags.FlagValues, listed: Iterator[Listed], listener: Console) -> bool:
    """Does the work; returns whether it had to stop early."""
    from wbc_tf.artefact.model_directory import ModelNotFoundError
    from wbc_tf.distributed.dispatch import DispatchError
    from wbc_tf.distributed.engine import find_room
    from wbc_tf.distributed.packed_model import pack_model
    from wbc_tf.distributed.run import cartoonize_on_cluster
    from wbc_tf.distributed.storage import StorageError
    from wbc_tf.distributed.worker import WorkerSettings
    from wbc_tf.inference.cartoonizer import MemoryBudgetError
    from wbc_tf.inference.engines import DeviceError, PrecisionError

    room = find_room(values.workers, values.gpus_per_worker)
    settings = WorkerSettings(
        device=values.device,
        precision=values.precision,
        memory_budget=values.memory_budget,
        video=replace(video_settings(values), segment_seconds=values.segment_seconds),
        quality=values.quality,
        overwrite=values.overwrite,
        threads=room.cores,
        folder=os.getcwd(),
    )
    try:
        cartoonize_on_cluster(listed, pack_model(values.model), settings, room, listener)
    except (DeviceError, MemoryBudgetError, ModelNotFoundError, PrecisionError) as error:
        raise UsageError(str(error)) from error
    except (DispatchError, OutputError, StorageError) as error:
        print(f"cluster: {error}", file=sys.stderr)
        return True
    return False


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
