"""A run on a Ray cluster: who is told, how it is interrupted, and the exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from absl import flags

from wbc_tf.cli.cluster_flags import listed_jobs, show_listed
from wbc_tf.cli.command_line import OK, UsageError
from wbc_tf.cli.interrupts import Interrupted, interruptible
from wbc_tf.cli.job_flags import told
from wbc_tf.cli.job_run import finished_status, interrupted_status
from wbc_tf.cli.video_flags import video_settings
from wbc_tf.inference.jobs import OutputError

if TYPE_CHECKING:
    from wbc_tf.distributed.listing import Listed
    from wbc_tf.inference.progress import Console


def run_on_cluster(values: flags.FlagValues) -> int:
    """Makes the files that the flags ask for, tells the user of them, and prints the tally.

    Args:
      values: parsed flags, with those of `define_cluster_flags` and of ``cartoonize.py``.

    Returns:
      The exit status. With --dry_run the files are only shown.

    Raises:
      UsageError: a call that makes no sense, no cluster at the address, or Ray is not installed.
    """
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
