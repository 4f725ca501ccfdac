"""A long video in segments, so that a run that was broken off goes on where it stopped.

`make_segment` draws and encodes one segment, on this machine or another. The finished ones lie in a
hidden folder beside the target, and a second run skips them. At the end they are joined, see
`wbc_tf.video.segments`, and the folder is removed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from wbc_tf.files import PathLike
from wbc_tf.files.whole import remove_leftovers, whole_file, write_whole
from wbc_tf.inference.jobs import Job
from wbc_tf.inference.report import Entry
from wbc_tf.inference.settings import DrawSettings, VideoSettings
from wbc_tf.inference.video import (
    cartoonize_video,
    draw_ahead,
    open_reader,
    open_writer,
    written,
)
from wbc_tf.video.formats import Container, container_of
from wbc_tf.video.frames import Picture
from wbc_tf.video.read import open_video
from wbc_tf.video.segments import Segment, join_segments, plan_segments

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer

#: Seconds of a segment. Shorter ones lose less work, but each starts with a key frame.
SEGMENT_SECONDS = 60.0

# The drawing of a small picture tells models and precisions apart. Two runs of one model may differ
# by a grey level: the order in which numbers are added depends on the machine.
_SAMPLE_SIDE, _SAME = 32, 1
#: The file of a `SegmentPlan`, beside the finished segments.
PLAN = "plan.json"


@dataclass(frozen=True)
class SegmentResult:
    """What became of a segment.

    Attributes:
      frames: how many it holds.
      broken: how many of them could not be decoded.
      moved: how many of them had a time that ran backwards.
      delay: see `VideoWriter.decoding_delay`.
      last_duration: of its last frame as the source states it, in ticks; 0 if unknown.
    """

    frames: int
    broken: int
    moved: int
    delay: int
    last_duration: int

    def to_json(self) -> bytes:
        """For `from_json`."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> SegmentResult:
        """The result that `to_json` was called on."""
        return cls(**json.loads(data))


def segment_name(segment: Segment) -> str:
    """The file of a finished segment, in the folder of its video."""
    return f"{segment.number:05}.nut"


def record_name(segment: Segment) -> str:
    """The file beside it that holds its `SegmentResult`; it is written after the segment."""
    return f"{segment.number:05}.json"


def make_segment(
    cartoonizer: Cartoonizer,
    source: PathLike,
    segment: Segment,
    settings: VideoSettings,
    container: Container,
    file: Path,
    progress: Callable[[int], None] = lambda done: None,
) -> SegmentResult:
    """Draws and encodes one segment. The file is whole or not there.

    Args:
      cartoonizer: the model.
      source: the video.
      segment: from `plan_segments`.
      settings: those of the whole video.
      container: of the whole video.
      file: what to write.
      progress: is called with the number of frames that are done.

    Raises:
      OSError, ValueError, av.FFmpegError: it cannot be read, drawn or written.
    """
    frames, last_duration = 0, 0
    with open_reader(source, settings) as reader, whole_file(file) as temporary:
        pictures = reader.pictures(
            seek=segment.seek,
            first=segment.first,
            stop=segment.stop,
            lookback=segment.lookback if settings.stabilize else None,
        )
        items = draw_ahead(cartoonizer, reader, pictures, settings)
        with (
            open_writer(
                cartoonizer, reader, temporary, container, settings, is_segment=True
            ) as writer,
            closing(items),
        ):
            for item in items:
                if isinstance(item, Picture) and item.time >= segment.first:
                    writer.write_picture(item)
                    frames, last_duration = frames + 1, item.duration
                    progress(frames)
        return SegmentResult(
            frames=frames,
            broken=reader.broken,
            moved=reader.moved,
            delay=writer.decoding_delay,
            last_duration=last_duration,
        )


def cartoonize_in_segments(
    cartoonizer: Cartoonizer,
    job: Job,
    settings: VideoSettings,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Entry:
    """Makes one video in segments; those that an earlier call finished are not made again.

    A short video is made in one piece. Settings, model and source must be the earlier call's; else
    its segments are removed, with a note.

    Args:
      cartoonizer: the model.
      job: what to read and to write.
      settings: how; without `segment_seconds` they are a minute long.
      progress: is called with the number of frames that are done, and of all.

    Raises:
      OSError, ValueError, av.FFmpegError: it cannot be read, drawn or written.
    """
    began = time.perf_counter()
    folder = segments_folder(job.target)
    segments, notes = _plan(cartoonizer, job.source, folder, settings)
    if len(segments) == 1:
        return cartoonize_video(cartoonizer, job, settings, progress)
    container = container_of(job.target)
    total, done = sum(segment.frames for segment in segments), 0
    results: list[SegmentResult] = []
    files = [folder / segment_name(segment) for segment in segments]
    for segment, file in zip(segments, files):
        record = folder / record_name(segment)
        if record.exists() and file.exists():
            result = SegmentResult.from_json(record.read_bytes())
        else:
            result = make_segment(
                cartoonizer,
                job.source,
                segment,
                settings,
                container,
                file,
                partial(_add, progress, done, total),
            )
            write_whole(record, result.to_json())
        results.append(result)
        done += result.frames
        progress(done, total)
    entry = join_video(cartoonizer, job, settings, files, results, began=began, notes=notes)
    shutil.rmtree(folder)
    return entry


def join_video(
    cartoonizer: Cartoonizer,
    job: Job,
    settings: VideoSettings,
    files: Sequence[Path],
    results: Sequence[SegmentResult],
    *,
    began: float,
    notes: Sequence[str],
) -> Entry:
    """Makes a video of its finished segments. The file is whole or not there.

    Args:
      cartoonizer: the model.
      job: what to read and to write.
      settings: those that the segments were made with.
      files: the segments, in order.
      results: of `make_segment`, in order.
      began: the clock `time.perf_counter` when the work began.
      notes: for the entry.

    Raises:
      OSError, ValueError, av.FFmpegError: it cannot be read or written.
    """
    container = container_of(job.target)
    with open_reader(job.source, settings) as reader, whole_file(job.target) as file:
        with open_writer(cartoonizer, reader, file, container, settings) as writer:
            frames = join_segments(
                reader,
                files,
                writer,
                delay=max(result.delay for result in results),
                last_duration=results[-1].last_duration,
            )
        reader.broken = sum(result.broken for result in results)
        reader.moved = sum(result.moved for result in results)
        return written(job, reader, writer, file, frames=frames, began=began, notes=notes)


def _add(progress: Callable[[int, int | None], None], before: int, total: int, frames: int) -> None:
    progress(before + frames, total)


def segments_folder(target: Path) -> Path:
    """The hidden folder beside a target in which its finished segments lie."""
    return target.with_name(segments_name(target.name))


def segments_name(name: str) -> str:
    """What `segments_folder` is called for a file's name; short, however long that is."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f".wbc-{digest}.segments"


@dataclass(frozen=True)
class SegmentPlan:
    """How a video is divided, and what call it was divided for.

    Attributes:
      segments: the segments, in order.
      call: what must be equal for finished segments to be of use: source, settings, PyAV.
      sample: the drawing of a small picture, by which another model is noticed.
    """

    segments: list[Segment]
    call: dict[str, Any]
    sample: list[Any]

    def is_for(self, other: SegmentPlan) -> bool:
        """Whether both were made for the same source, settings and model."""
        return self.call == other.call and _is_same(self.sample, other.sample)

    def to_json(self) -> bytes:
        """For `from_json`."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> SegmentPlan:
        """The plan that `to_json` was called on."""
        document = json.loads(data)
        return cls(**{**document, "segments": [Segment(**s) for s in document["segments"]]})


def plan_video(
    cartoonizer: Cartoonizer,
    source: Path,
    version: Sequence[Any],
    settings: VideoSettings,
    earlier: bytes | None,
) -> tuple[SegmentPlan, list[str]]:
    """The plan of an earlier call if it was the same, else a new one.

    Args:
      cartoonizer: the model.
      source: the video.
      version: what changes when the video does, as JSON can hold it: size and time.
      settings: for the whole video.
      earlier: the plan of an earlier call as `SegmentPlan.to_json` gave it, if there was one.

    Returns:
      The plan, and notes for people. It is the earlier one if, and only if, it equals that.

    Raises:
      VideoReadError: not a video, or one that was cut off.
    """
    call = {
        "source": [source.name, *version],
        "settings": asdict(settings),
        "pyav": av.__version__,
    }
    plan = SegmentPlan([], call, _sample(cartoonizer, settings.draw))
    notes: list[str] = []
    if earlier is not None:
        before = SegmentPlan.from_json(earlier)
        if before.is_for(plan):
            return before, notes
        notes.append("segments of an earlier call had another model or other settings: made again")
    segments = plan_segments(
        source,
        settings.segment_seconds or SEGMENT_SECONDS,
        start=settings.start,
        duration=settings.duration,
        max_pixels=settings.max_pixels,
    )
    return replace(plan, segments=segments), notes


def _plan(
    cartoonizer: Cartoonizer, source: Path, folder: Path, settings: VideoSettings
) -> tuple[list[Segment], list[str]]:
    """The segments, those of an earlier call if it was the same; and notes."""
    open_video(source)[0].close()  # says what is wrong with a file that is none
    file, stat = folder / PLAN, source.stat()
    version = [stat.st_size, stat.st_mtime_ns]
    earlier = file.read_bytes() if file.exists() else None
    plan, notes = plan_video(cartoonizer, source, version, settings, earlier)
    if plan.to_json() == earlier:
        remove_leftovers(folder)
        return plan.segments, notes
    if folder.exists():
        shutil.rmtree(folder)
    if len(plan.segments) > 1:
        folder.mkdir(parents=True)
        write_whole(file, plan.to_json())
    return plan.segments, notes


def _sample(cartoonizer: Cartoonizer, draw: DrawSettings) -> list[Any]:
    """The drawing of a small picture with noise and slopes."""
    y, x = np.mgrid[:_SAMPLE_SIDE, :_SAMPLE_SIDE]
    noise = np.random.default_rng(0).integers(0, 64, (_SAMPLE_SIDE, _SAMPLE_SIDE, 3))
    picture = np.stack([6 * x, 6 * y, 3 * (x + y)], axis=2) + noise
    drawn: list[Any] = cartoonizer(picture[None].astype(np.uint8), **draw.arguments()).tolist()
    return drawn


def _is_same(before: list[Any], now: list[Any]) -> bool:
    a, b = np.array(before), np.array(now)
    return bool(a.shape == b.shape and np.abs(a - b).max() <= _SAME)
