"""One video: its frames decoded, drawn and encoded at the same time, in one pass.

Frames are decoded in one thread, drawn in another and encoded in the caller's, which receives
Ctrl-C. However long the video is, only a few frames wait between them. Needs PyAV, see
`wbc_tf.video.formats`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wbc_tf.files import PathLike
from wbc_tf.files.whole import whole_file
from wbc_tf.images import reduced_size
from wbc_tf.inference.ahead import ahead
from wbc_tf.inference.jobs import Job
from wbc_tf.inference.photos import pictures_at_once, working_side
from wbc_tf.inference.report import Entry
from wbc_tf.inference.settings import VideoSettings
from wbc_tf.video.formats import Container, container_of
from wbc_tf.video.frames import Picture
from wbc_tf.video.read import Item, VideoReader
from wbc_tf.video.stabilize import Stabilizer
from wbc_tf.video.write import VideoWriter, lost_properties

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer


def cartoonize_video(
    cartoonizer: Cartoonizer,
    job: Job,
    settings: VideoSettings,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Entry:
    """Makes one video in one piece. The file is whole or not there.

    Args:
      cartoonizer: the model.
      job: what to read and to write.
      settings: how.
      progress: is called with the number of frames that are done, and of all if known.

    Raises:
      OSError, ValueError, av.FFmpegError: it cannot be read, drawn or written.
    """
    began, frames = time.perf_counter(), 0
    with open_reader(job.source, settings) as reader:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(job.target) as file:
            items = draw_ahead(cartoonizer, reader, reader.items(), settings)
            with (
                open_writer(
                    cartoonizer, reader, file, container_of(job.target), settings
                ) as writer,
                closing(items),
            ):
                for item in items:
                    if isinstance(item, Picture):
                        writer.write_picture(item)
                        frames += 1
                        progress(frames, reader.frames)
                    else:
                        writer.write_packet(item)
            return written(job, reader, writer, file, frames=frames, began=began)


def written(
    job: Job,
    reader: VideoReader,
    writer: VideoWriter,
    file: Path,
    *,
    frames: int,
    began: float,
    notes: Sequence[str] = (),
) -> Entry:
    """The report's entry for a video that is complete.

    Args:
      job: what was read and written.
      reader: of the source; all of it was read.
      writer: of the result; it is complete.
      file: where the result lies now.
      frames: their number.
      began: the clock `time.perf_counter` when the work began.
      notes: further ones.
    """
    return Entry(
        str(job.source),
        str(job.target),
        "written",
        width=reader.width,
        height=reader.height,
        frames=frames,
        seconds=time.perf_counter() - began,
        notes=(
            *notes,
            *reader.notes,
            *writer.notes,
            *lost_properties(file, writer.properties),
        ),
    )


def open_reader(source: PathLike, settings: VideoSettings) -> VideoReader:
    """Opens the part of a video that the settings ask for."""
    return VideoReader(
        source,
        start=settings.start,
        duration=settings.duration,
        max_pixels=settings.max_pixels,
    )


def open_writer(
    cartoonizer: Cartoonizer,
    reader: VideoReader,
    file: Path,
    container: Container,
    settings: VideoSettings,
    *,
    is_segment: bool = False,
) -> VideoWriter:
    """Creates the file for a video's cartoon, or for a segment of it."""
    size = (reader.height, reader.width)
    if settings.draw.output_size == "working":
        size = reduced_size(*size, working_side(cartoonizer, settings.draw))
    others = [s for s in reader.container.streams if s.index != reader.video.index]
    return VideoWriter(
        file,
        container,
        reader.properties,
        height=size[0],
        width=size[1],
        codec=settings.codec or container.codecs[0],
        crf=settings.crf,
        preset=settings.preset,
        streams=() if is_segment else others,
        is_segment=is_segment,
    )


def draw_ahead(
    cartoonizer: Cartoonizer,
    reader: VideoReader,
    items: Generator[Item, None, None],
    settings: VideoSettings,
) -> Generator[Item, None, None]:
    """The same items with their pictures drawn; decoded and drawn in two threads of their own."""
    at_once = pictures_at_once(
        reader.height, reader.width, working_side(cartoonizer, settings.draw)
    )
    # While one batch is drawn, the next is decoded and the last one encoded.
    capacity = 2 * at_once * 3 * reader.height * reader.width
    decoded = ahead(items, capacity=capacity, cost=_bytes)
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
                yield item  # earlier than its picture; the muxer sorts them
                continue
            batch.append(item)
            if len(batch) == at_once:
                yield from draw(batch)
                batch = []
    if batch:
        yield from draw(batch)


def _bytes(item: Item) -> int:
    return item.rgb.nbytes if isinstance(item, Picture) else item.size
