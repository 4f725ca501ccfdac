"""Many videos, one after the other; a bad one does not stop the rest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import av

from wbc_tf.files.claims import CLAIMED, Claims
from wbc_tf.files.whole import remove_leftovers
from wbc_tf.inference.engines import NetworkError
from wbc_tf.inference.jobs import ENDS_ALL, Job, OutputError, Tally
from wbc_tf.inference.progress import Listener, Silence
from wbc_tf.inference.report import Entry
from wbc_tf.inference.segments import cartoonize_in_segments
from wbc_tf.inference.settings import VideoSettings
from wbc_tf.inference.video import cartoonize_video

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer


def cartoonize_videos(
    cartoonizer: Cartoonizer,
    jobs: Sequence[Job],
    settings: VideoSettings,
    *,
    overwrite: bool = False,
    listener: Listener | None = None,
) -> Tally:
    """Draws each job's video and writes it; a bad file is reported and counted.

    Files are whole or not there, even if the run is broken off. Several processes that make the
    same call without `overwrite` share the jobs.

    Args:
      cartoonizer: the model.
      jobs: from `plan_jobs`.
      settings: for all of them.
      overwrite: make files again that are already there; else they are skipped.
      listener: is told what becomes of each job, in their order, and of its frames.

    Raises:
      OutputError: the disk is full or read-only.
    """
    listener = listener or Silence()
    tally = Tally()
    for folder in {job.target.parent for job in jobs}:
        remove_leftovers(folder)
    listener.begun(len(jobs))
    for job in jobs:
        source, target = str(job.source), str(job.target)
        try:
            with Claims() as claims:
                if os.path.exists(job.target) and not overwrite:
                    entry = Entry(source, target, "skipped")
                elif not claims.take(job.target):
                    entry = Entry(source, target, "skipped", notes=(CLAIMED,))
                else:
                    entry = _cartoonize(cartoonizer, job, settings, listener, claims)
        except (OSError, ValueError, MemoryError, av.FFmpegError, NetworkError) as error:
            if isinstance(error, OSError) and error.errno in ENDS_ALL:
                raise OutputError(job.target.parent, error) from error
            reason = str(error)
            if isinstance(error, av.FFmpegError):  # it names the temporary file that is written
                reason = f"FFmpeg: {error.strerror}"
            if source not in reason:
                reason = f"{source} -> {target}: {reason}"
            entry = Entry(source, target, "failed", error=reason)
        tally = tally.counted(entry.status)
        listener.done(entry)
    return tally


def _cartoonize(
    cartoonizer: Cartoonizer,
    job: Job,
    settings: VideoSettings,
    listener: Listener,
    claims: Claims,
) -> Entry:
    def progress(done: int, total: int | None) -> None:
        claims.renew(job.target)
        listener.frames(str(job.source), done, total)

    make = cartoonize_in_segments if settings.segment_seconds else cartoonize_video
    return make(cartoonizer, job, settings, progress)
