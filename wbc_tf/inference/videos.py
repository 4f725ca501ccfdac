"""Videos, one after the other: decoding, drawing and encoding overlap, in one pass over each.

Frames are decoded in one thread, drawn in another and encoded in the caller's, whom Ctrl-C reaches.
A few frames at most lie between them, however long the video is. Needs PyAV, see
`wbc_tf.video.formats`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import av
import numpy as np

from wbc_tf.files.whole import remove_leftovers, whole_file
from wbc_tf.images import reduced_size
from wbc_tf.inference.ahead import ahead
from wbc_tf.inference.jobs import ENDS_ALL, Job, OutputError, Tally
from wbc_tf.inference.photos import pictures_at_once, working_side
from wbc_tf.inference.progress import Listener, Silence
from wbc_tf.inference.report import Entry
from wbc_tf.inference.settings import VideoSettings
from wbc_tf.video.formats import container_of
from wbc_tf.video.frames import Picture
from wbc_tf.video.read import Item, VideoReader
from wbc_tf.video.stabilize import Stabilizer
from wbc_tf.video.write import VideoWriter, lost_properties

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

    Files are whole or not there, whenever it is broken off.

    Args:
      cartoonizer: the model.
      jobs: from `plan_jobs`.
      settings: for all of them.
      overwrite: make files again that are already there; else they are skipped.
      listener: is told what becomes of each job, in their order, and of its frames.

    Raises:
      OutputError: the disk is full or read-only.
    """
    import tensorflow as tf

    listener = listener or Silence()
    tally = Tally()
    for folder in {job.target.parent for job in jobs}:
        remove_leftovers(folder)
    listener.begun(len(jobs))
    for job in jobs:
        source, target = str(job.source), str(job.target)
        try:
            if os.path.exists(job.target) and not overwrite:
                entry = Entry(source, target, "skipped")
            else:
                entry = _cartoonize(cartoonizer, job, settings, listener)
        except (OSError, ValueError, MemoryError, av.FFmpegError, tf.errors.OpError) as error:
            if isinstance(error, OSError) and error.errno in ENDS_ALL:
                raise OutputError(job.target.parent, error) from error
            reason = str(error)
            if source not in reason:
                reason = f"{source} -> {target}: {reason}"
            entry = Entry(source, target, "failed", error=reason)
        tally = tally.counted(entry.status)
        listener.done(entry)
    return tally


def _cartoonize(
    cartoonizer: Cartoonizer, job: Job, settings: VideoSettings, listener: Listener
) -> Entry:
    began, frames = time.perf_counter(), 0
    container = container_of(job.target)
    with VideoReader(
        job.source,
        start=settings.start,
        duration=settings.duration,
        max_pixels=settings.max_pixels,
    ) as clip:
        size = (clip.height, clip.width)
        short_side = working_side(cartoonizer, settings.draw)
        if settings.draw.output_size == "working":
            size = reduced_size(*size, short_side)
        job.target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(job.target) as file:
            with (
                VideoWriter(
                    file,
                    container,
                    clip.properties,
                    height=size[0],
                    width=size[1],
                    codec=settings.codec or container.codecs[0],
                    crf=settings.crf,
                    preset=settings.preset,
                    streams=[s for s in clip.container.streams if s.index != clip.video.index],
                ) as writer,
                closing(_drawn(cartoonizer, clip, settings, short_side)) as items,
            ):
                for item in items:
                    if isinstance(item, Picture):
                        writer.write_picture(item)
                        frames += 1
                        listener.frames(str(job.source), frames, clip.frames)
                    else:
                        writer.write_packet(item)
            notes = (*clip.notes, *writer.notes, *lost_properties(file, writer.properties))
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
    cartoonizer: Cartoonizer, clip: VideoReader, settings: VideoSettings, short_side: int
) -> Generator[Item, None, None]:
    """A clip's items, its pictures drawn; made ahead, as what they are made from is."""
    at_once = pictures_at_once(clip.height, clip.width, short_side)
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
            np.stack([picture.rgb for picture in batch]), **settings.draw.arguments()
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
