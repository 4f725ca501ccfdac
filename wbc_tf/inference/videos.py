"""Videos, one after the other: decoding, drawing and encoding overlap, in one pass over each.

Frames are decoded in one thread, drawn in another and encoded in the caller's, whom Ctrl-C reaches.
A few frames at most lie between them, however long the video is. Needs PyAV, see
`wbc_tf.video.pyav`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import av
import numpy as np
from tqdm import tqdm

from wbc_tf.files.whole import remove_leftovers, whole_file
from wbc_tf.images import reduced_size
from wbc_tf.inference.jobs import Job, Tally
from wbc_tf.inference.outcomes import Outcomes
from wbc_tf.inference.pipeline import FATAL, OutputError, pictures_at_once
from wbc_tf.inference.report import Entry, Report
from wbc_tf.video.ahead import ahead
from wbc_tf.video.clip import Clip, Item
from wbc_tf.video.containers import container_of
from wbc_tf.video.form import Picture
from wbc_tf.video.losses import losses
from wbc_tf.video.stabilize import Stabilizer
from wbc_tf.video.writer import Writer

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer


@dataclass(frozen=True)
class VideoSettings:
    """How videos are made.

    Attributes:
      short_side: working resolution, see `Cartoonizer`.
      output_size: "input" or "working", see `Cartoonizer`.
      codec: a key of `wbc_tf.video.codecs.CODECS`; None takes the container's usual one.
      crf: quality; None takes the codec's usual one.
      preset: speed, one of `wbc_tf.video.codecs.PRESETS`.
      start: seconds to leave out at the beginning.
      duration: seconds to take; None takes the rest.
      stabilize: lower the flicker between frames.
      max_pixels: refuse larger frames; None takes all.
    """

    short_side: int
    output_size: str
    codec: str | None = None
    crf: int | None = None
    preset: str = "medium"
    start: float = 0.0
    duration: float | None = None
    stabilize: bool = False
    max_pixels: int | None = None


def cartoonize_videos(
    cartoonizer: Cartoonizer,
    jobs: Sequence[Job],
    settings: VideoSettings,
    *,
    overwrite: bool = False,
    report: Report | None = None,
) -> Tally:
    """Works through the jobs; a bad file is named on stderr and counted, and the rest goes on.

    Files are whole or not there, whenever it is broken off.

    Args:
      cartoonizer: the model.
      jobs: from `plan_jobs`.
      settings: for all of them.
      overwrite: make files again that are already there; else they are skipped.
      report: gets an entry for each job.

    Raises:
      OutputError: the disk is full or the folder read-only.
    """
    import tensorflow as tf

    outcomes = Outcomes(report)
    for folder in {job.target.parent for job in jobs}:
        remove_leftovers(folder)
    try:
        for job in jobs:
            source, target = str(job.source), str(job.target)
            if os.path.exists(job.target) and not overwrite:
                outcomes.add(Entry(source, target, "skipped"))
                continue
            try:
                entry = _cartoonize(cartoonizer, job, settings)
            except (OSError, ValueError, MemoryError, av.FFmpegError, tf.errors.OpError) as error:
                if isinstance(error, OSError) and error.errno in FATAL:
                    written = outcomes.tally.written
                    raise OutputError(job.target, error, written=written) from error
                reason = str(error)
                if source not in reason:
                    reason = f"{source} -> {target}: {reason}"
                entry = Entry(source, target, "failed", error=reason)
            outcomes.add(entry)
    finally:
        outcomes.tell_notes()
    return outcomes.tally


def _cartoonize(cartoonizer: Cartoonizer, job: Job, settings: VideoSettings) -> Entry:
    began, frames = time.perf_counter(), 0
    container = container_of(job.target)
    with Clip(
        job.source,
        start=settings.start,
        duration=settings.duration,
        max_pixels=settings.max_pixels,
    ) as clip:
        size = (clip.height, clip.width)
        if settings.output_size == "working":
            size = reduced_size(*size, settings.short_side)
        job.target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(job.target) as file:
            with (
                Writer(
                    file,
                    container,
                    clip.form,
                    height=size[0],
                    width=size[1],
                    codec=settings.codec or container.codecs[0],
                    crf=settings.crf,
                    preset=settings.preset,
                    streams=[s for s in clip.container.streams if s.index != clip.video.index],
                ) as writer,
                closing(_drawn(cartoonizer, clip, settings)) as items,
                tqdm(total=clip.frames, unit="frame", desc=job.source.name, disable=None) as bar,
            ):
                for item in items:
                    if isinstance(item, Picture):
                        writer.draw(item)
                        frames += 1
                        bar.update()
                    else:
                        writer.carry(item)
            notes = (*clip.notes, *writer.notes, *losses(file, writer.form))
    return Entry(
        str(job.source),
        str(job.target),
        "written",
        width=clip.width,
        height=clip.height,
        frames=frames,
        seconds=time.perf_counter() - began,
        notes=notes,
    )


def _drawn(
    cartoonizer: Cartoonizer, clip: Clip, settings: VideoSettings
) -> Generator[Item, None, None]:
    """A clip's items, its pictures drawn; made ahead, as what they are made from is."""
    at_once = pictures_at_once(clip.height, clip.width, settings.short_side)
    # While a batch is drawn the next is decoded, and the one before encoded.
    capacity = 2 * at_once * 3 * clip.height * clip.width
    decoded = ahead(clip.items(), capacity=capacity, cost=_bytes)
    drawing = _draw(cartoonizer, decoded, at_once, settings)
    return ahead(drawing, capacity=capacity, cost=_bytes)


def _draw(
    cartoonizer: Cartoonizer,
    items: Generator[Item, None, None],
    at_once: int,
    settings: VideoSettings,
) -> Generator[Item, None, None]:
    stabilize = Stabilizer() if settings.stabilize else None

    def draw(batch: list[Picture]) -> Iterable[Picture]:
        drawn = cartoonizer(
            np.stack([picture.rgb for picture in batch]),
            short_side=settings.short_side,
            output_size=settings.output_size,
        )
        for picture, rgb in zip(batch, drawn):
            rgb = stabilize(picture.rgb, rgb) if stabilize else rgb
            yield replace(picture, rgb=rgb)

    batch: list[Picture] = []
    with closing(items):
        for item in items:
            if not isinstance(item, Picture):
                yield item  # ahead of its picture; the muxer sorts them
                continue
            batch.append(item)
            if len(batch) == at_once:
                yield from draw(batch)
                batch = []
    if batch:
        yield from draw(batch)


def _bytes(item: Item) -> int:
    return item.rgb.nbytes if isinstance(item, Picture) else item.size
