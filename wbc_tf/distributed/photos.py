"""Some photos for one worker: the same stages as on one machine, each photo by its names alone.

A worker does several such works at once. The model draws for one of them at a time, while the
others read and write: reading and writing then cost no time of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wbc_tf.distributed.listing import FileJob
from wbc_tf.distributed.storage import is_url, storage_of
from wbc_tf.distributed.work import LOST, Outcome, Tools
from wbc_tf.files.pictures import Photo, decode_photo
from wbc_tf.inference.jobs import Job, OutputError
from wbc_tf.inference.photo import fit_photo, read_job
from wbc_tf.inference.photos import (
    Step,
    draw_steps,
    pictures_at_once,
    read_step,
    working_side,
    write_step,
)
from wbc_tf.inference.report import Entry

# Pixels that one work may have read and not yet written: 6 bytes each. A single photo may be
# larger.
_PIXELS = 16_000_000


@dataclass(frozen=True)
class PhotoWork:
    """Photos to be made.

    Attributes:
      jobs: which.
      is_again: a worker was lost with them, perhaps after it had written some.
    """

    jobs: tuple[FileJob, ...]
    is_again: bool = False

    @property
    def alone(self) -> bool:
        """A photo with which a worker was lost gets one to itself: the photo may be the cause."""
        return self.is_again

    @property
    def needed(self) -> bool:
        """See `Work`."""
        return True

    def do(self, tools: Tools) -> list[Step]:
        """See `Work`: what became of each."""
        done: list[Step] = []
        for part in self._parts(tools):
            for batch in _batches(part, tools):
                with tools.drawing:
                    drawn = draw_steps(
                        tools.cartoonizer, batch, tools.video.draw, quality=tools.quality
                    )
                done += [_write(step, tools) for step in drawn]
        return done

    def then(self, answer: list[Step]) -> Outcome:
        """See `Work`."""
        for step in answer:
            if step.ends_all is not None:
                folder = Path(step.entry.target).parent
                return Outcome(stop=str(OutputError(folder, step.ends_all)))
        return Outcome(entries=[step.entry for step in answer])

    def again(self) -> Sequence[PhotoWork]:
        """See `Work`: each photo by itself."""
        return [PhotoWork((job,), is_again=True) for job in self.jobs]

    def given_up(self, reason: str) -> Outcome:
        """See `Work`."""
        return Outcome(
            entries=[
                Entry(job.source, job.target, "failed", error=f"{job.source}: {reason}")
                for job in self.jobs
            ]
        )

    def _parts(self, tools: Tools) -> Iterator[list[Step]]:
        """The photos with their pixels, as many at a time as memory may hold."""
        part: list[Step] = []
        pixels = 0
        for job in self.jobs:
            step = self._read(job, tools)
            size = 0 if step.photo is None else step.photo.rgb.size // 3
            if part and pixels + size > _PIXELS:
                yield part
                part, pixels = [], 0
            part.append(step)
            pixels += size
        yield part

    def _read(self, job: FileJob, tools: Tools) -> Step:
        step = Step(Entry(job.source, job.target, "written"))
        try:
            there = not tools.overwrite and storage_of(job.target).exists(job.target)
        except OSError as error:
            return step.failed(f"{job.source} -> {job.target}: {error}")
        if there and self.is_again:
            return replace(step, entry=replace(step.entry, notes=(LOST,)), photo=None)
        if there:
            return replace(step, entry=replace(step.entry, status="skipped"))
        return read_step(step, lambda: _photo(job, tools.video.max_pixels))


def _photo(job: FileJob, max_pixels: int | None) -> Photo:
    if not is_url(job.source):
        return read_job(Job(Path(job.source), Path(job.target)), max_pixels=max_pixels)
    data = storage_of(job.source).read(job.source)
    photo = decode_photo(data, name=job.source, animated=True, max_pixels=max_pixels)
    return fit_photo(photo, job.source, job.target)


def _batches(steps: Sequence[Step], tools: Tools) -> Iterator[list[Step]]:
    """Photos of one size together, as many as a call of the network takes; all others alone."""
    short_side = working_side(tools.cartoonizer, tools.video.draw)
    by_size: dict[tuple[int, ...], list[Step]] = {}
    for step in steps:
        if step.photo is None or step.photo.animation is not None:
            yield [step]
        else:
            by_size.setdefault(step.photo.rgb.shape, []).append(step)
    for (height, width, _), group in by_size.items():
        at_once = pictures_at_once(height, width, short_side)
        for first in range(0, len(group), at_once):
            yield group[first : first + at_once]


def _write(step: Step, tools: Tools) -> Step:
    def write(data: bytes) -> None:
        storage_of(step.entry.target).write(step.entry.target, data)

    return write_step(step, write, quality=tools.quality)
