"""One film by many workers: it is divided, its segments are made anywhere, and they are joined.

Each step is a `Work` for some worker, so that no film passes through the driver:

1. `DivideWork` reads the film's packets and stores the plan. A short film is made at once.
2. `SegmentWork` makes one segment and stores it, with a record of what it holds.
3. `JoinWork` joins the segments into the film and removes them.

The finished segments lie in the hidden folder beside the target that ``cartoonize.py --resume``
uses too. A call that was broken off is continued by the next one: `DivideWork` finds what is there.
A film in an object store is copied to the disk of each machine that works on it, once.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from wbc_tf.distributed.listing import FileJob
from wbc_tf.distributed.storage import Storage, fetched, is_url, join, parent, storage_of
from wbc_tf.distributed.work import LOST, Outcome, Tools, Work
from wbc_tf.inference.engines import NetworkError
from wbc_tf.inference.jobs import ENDS_ALL, Job, OutputError
from wbc_tf.inference.report import Entry
from wbc_tf.inference.segments import (
    PLAN,
    SegmentResult,
    join_video,
    make_segment,
    plan_video,
    record_name,
    segment_name,
    segments_name,
)
from wbc_tf.inference.video import cartoonize_video
from wbc_tf.video.formats import container_of
from wbc_tf.video.segments import Segment, SegmentError


@dataclass(frozen=True)
class Failure:
    """Why a film cannot be made; `ends_all` says that no further file can be written either."""

    reason: str
    ends_all: bool = False


@dataclass
class Film:
    """A film that is being made, as the driver knows it.

    Attributes:
      job: the film.
      began: the driver's clock `time.perf_counter` when the work began.
      segments: all of them, once they are known.
      results: of the finished ones: number -> what it holds.
      notes: for the entry.
      over: it has failed; what was to be done for it is not needed any more.
    """

    job: FileJob
    began: float = field(default_factory=time.perf_counter)
    segments: list[Segment] = field(default_factory=list)
    results: dict[int, SegmentResult] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    over: bool = False

    def failed(self, failure: Failure) -> Outcome:
        """The end of it."""
        if failure.ends_all:
            return Outcome(stop=failure.reason)
        if self.over:
            return Outcome()
        self.over = True
        reason = failure.reason
        if self.job.source not in reason:
            reason = f"{self.job.source} -> {self.job.target}: {reason}"
        entry = Entry(self.job.source, self.job.target, "failed", error=reason)
        return Outcome(entries=[entry], finished_film=self.job.source)

    def progress(self) -> tuple[str, int, int | None]:
        """Its name, the frames that are done, and all of them."""
        done = sum(result.frames for result in self.results.values())
        return self.job.source, done, sum(segment.frames for segment in self.segments)


@dataclass(frozen=True)
class _FilmWork:
    """What the works of a film have in common."""

    film: Film

    alone = True  # decoder, network and encoder of one film fill a worker

    @property
    def needed(self) -> bool:
        """See `Work`."""
        return not self.film.over

    def again(self) -> Sequence[Work]:
        """See `Work`. What was finished is found."""
        return [self]  # type: ignore[list-item]  # its subclasses are works

    def given_up(self, reason: str) -> Outcome:
        """See `Work`."""
        return self.film.failed(Failure(reason))


@dataclass(frozen=True)
class _Division:
    """What `DivideWork` found: an entry where the film is done, else its segments."""

    entry: Entry | None = None
    segments: Sequence[Segment] = ()
    results: dict[int, SegmentResult] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class DivideWork(_FilmWork):
    """See this module."""

    def do(self, tools: Tools) -> _Division | Failure:
        """See `Work`."""
        return _told(self.film.job, tools, partial(_divide, self.film.job, tools))

    def then(self, answer: _Division | Failure) -> Outcome:
        """See `Work`."""
        film = self.film
        if isinstance(answer, Failure):
            return film.failed(answer)
        if answer.entry is not None:
            return Outcome(entries=[answer.entry], finished_film=film.job.source)
        film.segments, film.results = list(answer.segments), dict(answer.results)
        film.notes = list(answer.notes)
        missing = [s for s in film.segments if s.number not in film.results]
        works: list[Work] = [SegmentWork(film, segment) for segment in missing]
        return Outcome(works=works or [JoinWork(film)], progress=film.progress())


@dataclass(frozen=True)
class SegmentWork(_FilmWork):
    """See this module."""

    segment: Segment

    def do(self, tools: Tools) -> SegmentResult | Failure:
        """See `Work`."""
        job = self.film.job
        return _told(job, tools, partial(_make_segment, job, self.segment, tools))

    def then(self, answer: SegmentResult | Failure) -> Outcome:
        """See `Work`."""
        film = self.film
        if isinstance(answer, Failure):
            return film.failed(answer)
        if film.over:
            return Outcome()
        film.results[self.segment.number] = answer
        complete = len(film.results) == len(film.segments)
        return Outcome(works=[JoinWork(film)] if complete else [], progress=film.progress())

    # The worker does not need the film's segments and results, so they are not sent to it.
    def __getstate__(self) -> dict[str, Any]:
        return {"film": Film(self.film.job, self.film.began), "segment": self.segment}


@dataclass(frozen=True)
class JoinWork(_FilmWork):
    """See this module; `is_again` says that a worker was lost with it."""

    is_again: bool = False

    def do(self, tools: Tools) -> Entry | Failure:
        """See `Work`."""
        return _told(self.film.job, tools, partial(_join, self, tools))

    def then(self, answer: Entry | Failure) -> Outcome:
        """See `Work`."""
        if isinstance(answer, Failure):
            return self.film.failed(answer)
        entry = replace(answer, seconds=time.perf_counter() - self.film.began)
        return Outcome(entries=[entry], finished_film=self.film.job.source)

    def again(self) -> Sequence[Work]:
        """See `Work`."""
        return [JoinWork(self.film, is_again=True)]


#: Gives the film as a file of this machine; in an object store it is copied first.
_Source = Callable[[], Path]


def _divide(job: FileJob, tools: Tools, source: _Source) -> _Division:
    storage, folder = storage_of(job.target), _folder(job)
    if storage.exists(job.target) and not tools.overwrite:
        storage.remove_folder(folder)  # a call may have ended just before it did that
        return _Division(entry=Entry(job.source, job.target, "skipped"))
    file = join(folder, PLAN)
    earlier = storage.read(file) if storage.exists(file) else None
    version = storage_of(job.source).version(job.source)
    plan, notes = plan_video(tools.cartoonizer, source(), version, tools.video, earlier)
    results = {}
    if plan.to_json() == earlier:
        finished = set(storage.names(folder, recursive=False))
        for segment in plan.segments:
            record = record_name(segment)
            if record in finished:
                data = storage.read(join(folder, record))
                results[segment.number] = SegmentResult.from_json(data)
    else:
        storage.remove_folder(folder)
        if len(plan.segments) == 1:
            return _Division(entry=_in_one_piece(job, tools, source()))
        storage.write(file, plan.to_json())
    return _Division(segments=plan.segments, results=results, notes=notes)


def _in_one_piece(job: FileJob, tools: Tools, source: Path) -> Entry:
    with storage_of(job.target).made(job.target) as target:
        entry = cartoonize_video(tools.cartoonizer, Job(source, target), tools.video)
    return replace(entry, source=job.source, target=job.target)


def _make_segment(job: FileJob, segment: Segment, tools: Tools, source: _Source) -> SegmentResult:
    storage, folder = storage_of(job.target), _folder(job)
    record = join(folder, record_name(segment))
    if storage.exists(record):  # by a worker that was lost before it could say so
        return SegmentResult.from_json(storage.read(record))
    with storage.made(join(folder, segment_name(segment))) as file:
        result = make_segment(
            tools.cartoonizer, source(), segment, tools.video, container_of(job.target), file
        )
    # After the segment: who finds the record finds the segment too.
    storage.write(record, result.to_json())
    return result


def _join(work: JoinWork, tools: Tools, source: _Source) -> Entry:
    film, job = work.film, work.film.job
    storage, folder = storage_of(job.target), _folder(job)
    names = [join(folder, segment_name(segment)) for segment in film.segments]
    if work.is_again and storage.exists(job.target) and not all(map(storage.exists, names)):
        # The lost worker had joined them and had begun to remove them.
        storage.remove_folder(folder)
        return Entry(job.source, job.target, "written", notes=(*film.notes, LOST))
    with tempfile.TemporaryDirectory(prefix="wbc-") as copies:
        files = [_here(storage, name, Path(copies)) for name in names]
        try:
            with storage.made(job.target) as target:
                entry = join_video(
                    tools.cartoonizer,
                    Job(source(), target),
                    tools.video,
                    files,
                    [film.results[segment.number] for segment in film.segments],
                    began=time.perf_counter(),
                    notes=film.notes,
                )
        except SegmentError as error:
            raise SegmentError(str(error).replace(copies, folder)) from error
    storage.remove_folder(folder)
    return replace(entry, source=job.source, target=job.target)


def _here(storage: Storage, name: str, folder: Path) -> Path:
    if not is_url(name):
        return Path(name)
    file = folder / name.rpartition("/")[2]
    storage.download(name, file)
    return file


def _told(job: FileJob, tools: Tools, make: Callable[[_Source], Any]) -> Any:
    """What `make` returns, or why it failed."""
    import av

    copies: list[Path] = []

    def source() -> Path:
        if not copies:
            copies.append(fetched(job.source, tools.scratch))
        return copies[0]

    try:
        return make(source)
    except (OSError, ValueError, MemoryError, av.FFmpegError, NetworkError) as error:
        if isinstance(error, OSError) and error.errno in ENDS_ALL:
            return Failure(str(OutputError(parent(job.target), error)), ends_all=True)
        reason = str(error)
        if isinstance(error, av.FFmpegError):  # it names the temporary file that is written
            reason = f"FFmpeg: {error.strerror}"
        return Failure(reason.replace(str(copies[0]), job.source) if copies else reason)


def _folder(job: FileJob) -> str:
    name = job.target.rpartition("/")[2]
    return join(parent(job.target), segments_name(name))
