"""Many pictures, worked through: read, draw and write overlap, and no bad file stops the rest.

Reading and writing run in threads (Pillow and the disk release Python's lock), the network in the
caller's. Everything is settled in the order of the jobs, so that two runs say the same in the same
order; what is batched depends on the jobs alone, never on who was faster.
"""

from __future__ import annotations

import errno
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from wbc_tf.files.metadata import fit_metadata
from wbc_tf.files.pictures import (
    Photo,
    count_pixels,
    encode_animation,
    encode_image,
    format_of,
    read_photo,
)
from wbc_tf.files.whole import remove_leftovers, write_whole
from wbc_tf.images import reduce_to_short_side, reduced_size
from wbc_tf.inference.jobs import Job, Tally
from wbc_tf.inference.outcomes import Outcomes
from wbc_tf.inference.report import Entry, Report

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer

# Pixels read but not yet written, a photo and its cartoon each 3 bytes; a single picture may be
# larger. It takes two large photos to keep reading, drawing and writing busy, many small ones.
_PIXELS_IN_HAND = 64_000_000
_READ_AHEAD = 16
# Working pixels in a call of the network: two pictures at the authors' resolution. It is the small
# ones that gain, where a call costs more than the picture.
_BATCH_PIXELS = 2_000_000
_BATCH = 32

#: Errors of the disk or the folder, which each further file would meet again.
FATAL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


class OutputError(Exception):
    """The disk is full or the folder read-only; what was written before stays."""

    def __init__(self, target: Path, error: OSError, *, written: int) -> None:
        super().__init__(
            f"{target.parent}: cannot write there ({error.strerror}). "
            f"Stopped with {written} written; call again to go on"
        )


@dataclass
class _Item:
    """A job on its way."""

    job: Job
    #: What it takes of `_PIXELS_IN_HAND`; at most half of it, so that two always fit.
    cost: int
    reading: Future[tuple[Photo, float]] | None
    photo: Photo | None = None
    writing: Future[float] | None = None
    entry: Entry | None = None


def pictures_at_once(height: int, width: int, short_side: int) -> int:
    """How many pictures of one size go into a call of the network."""
    rows, columns = reduced_size(height, width, short_side)
    return max(1, min(_BATCH, _BATCH_PIXELS // (rows * columns)))


def cartoonize_files(
    cartoonizer: Cartoonizer,
    jobs: Sequence[Job],
    *,
    short_side: int,
    output_size: str,
    quality: int = 95,
    overwrite: bool = False,
    max_pixels: int | None = None,
    report: Report | None = None,
) -> Tally:
    """Works through the jobs; a bad file is named on stderr and counted, and the rest goes on.

    An animation stays one where the target has the same format. Broken off at any moment, even by
    ``kill -9``, the same call goes on where it stopped: files are whole or not there.

    Args:
      cartoonizer: the model.
      jobs: from `plan_jobs`.
      short_side: working resolution, see `Cartoonizer`.
      output_size: "input" or "working", see `Cartoonizer`.
      quality: of JPEG and WebP, 1 to 100.
      overwrite: make files again that are already there; else they are skipped.
      max_pixels: refuse larger pictures, all frames together; None leaves it to Pillow.
      report: gets an entry for each job.

    Raises:
      OutputError: the disk is full or the folder read-only.
    """
    run = _Run(
        cartoonizer,
        total=len(jobs),
        short_side=short_side,
        output_size=output_size,
        quality=quality,
        overwrite=overwrite,
        max_pixels=max_pixels,
        report=report,
    )
    return run.through(jobs)


class _Run:
    """One call of `cartoonize_files`; all but `_read` and `_write` runs in the caller's thread."""

    def __init__(
        self,
        cartoonizer: Cartoonizer,
        *,
        total: int,
        short_side: int,
        output_size: str,
        quality: int,
        overwrite: bool,
        max_pixels: int | None,
        report: Report | None,
    ) -> None:
        self._cartoonizer = cartoonizer
        self._sizes = {"short_side": short_side, "output_size": output_size}
        self._short_side = short_side
        self._reduced = output_size == "working"
        self._quality = quality
        self._overwrite = overwrite
        self._max_pixels = max_pixels
        self._outcomes = Outcomes(report)
        self._in_hand: deque[_Item] = deque()
        self._pixels_in_hand = 0
        self._cleaned: set[Path] = set()
        self._bar = tqdm(total=total, unit="img", disable=None)
        workers = min(4, os.cpu_count() or 1)
        self._readers = ThreadPoolExecutor(workers, thread_name_prefix="read")
        self._writers = ThreadPoolExecutor(workers, thread_name_prefix="write")

    def through(self, jobs: Sequence[Job]) -> Tally:
        try:
            with self._bar:
                for batch in self._batches(self._arrivals(jobs)):
                    self._draw(batch)
                    while self._settle(wait=False):
                        pass
                while self._settle(wait=True):
                    pass
        except BaseException:
            # Interrupted, or the disk is full: what is being written is finished, nothing is begun.
            self._writers.shutdown(wait=True, cancel_futures=True)
            raise
        finally:
            self._readers.shutdown(wait=False, cancel_futures=True)
            self._writers.shutdown(wait=True)
            self._outcomes.tell_notes()
        return self._outcomes.tally

    def _arrivals(self, jobs: Sequence[Job]) -> Iterator[_Item]:
        """The jobs in their order, some of them being read ahead."""
        ahead: deque[_Item] = deque()
        coming = iter(jobs)
        upcoming: _Item | None = None
        while True:
            while len(ahead) < _READ_AHEAD:
                job = next(coming, None) if upcoming is None else upcoming.job
                if job is None:
                    break
                upcoming = upcoming or self._new_item(job)
                while not ahead and self._is_full(upcoming) and self._settle(wait=True):
                    pass
                # With nothing read ahead and nothing to settle, the batch at hand is all there is:
                # less than half of the pixels, and one more is at most half.
                if ahead and self._is_full(upcoming):
                    break
                self._pixels_in_hand += upcoming.cost
                self._in_hand.append(upcoming)
                if upcoming.entry is None:
                    upcoming.reading = self._readers.submit(self._read, job)
                ahead.append(upcoming)
                upcoming = None
            if not ahead:
                return
            yield ahead.popleft()

    def _is_full(self, upcoming: _Item) -> bool:
        return self._pixels_in_hand + upcoming.cost > _PIXELS_IN_HAND

    def _new_item(self, job: Job) -> _Item:
        if os.path.exists(job.target) and not self._overwrite:  # Path's own fails on a long name
            entry = Entry(str(job.source), str(job.target), "skipped")
            return _Item(job, cost=0, reading=None, entry=entry)
        cost = min(count_pixels(job.source), _PIXELS_IN_HAND // 2)
        return _Item(job, cost=cost, reading=None)

    def _batches(self, arrivals: Iterator[_Item]) -> Iterator[list[_Item]]:
        """Neighbours of one size together, as far as the pixels allow; animations alone."""
        batch: list[_Item] = []
        for item in arrivals:
            self._finish_reading(item)
            if item.photo is None:
                continue
            if batch and not self._belong_together(batch, item):
                yield batch
                batch = []
            batch.append(item)
            if item.photo.animation is not None or sum(i.cost for i in batch) >= (
                _PIXELS_IN_HAND // 2
            ):
                yield batch
                batch = []
        if batch:
            yield batch

    def _belong_together(self, batch: list[_Item], item: _Item) -> bool:
        first, photo = batch[0].photo, item.photo
        assert first is not None
        assert photo is not None
        same_size = first.rgb.shape == photo.rgb.shape
        return same_size and photo.animation is None and len(batch) < self._fitting(photo)

    def _fitting(self, photo: Photo) -> int:
        height, width = photo.rgb.shape[:2]
        return pictures_at_once(height, width, self._short_side)

    def _finish_reading(self, item: _Item) -> None:
        if item.reading is None:
            return
        try:
            item.photo, seconds = item.reading.result()
        except (OSError, ValueError, MemoryError) as error:
            self._fail(item, str(error))
            return
        finally:
            item.reading = None
        photo = item.photo
        height, width = photo.rgb.shape[:2]
        item.entry = Entry(
            str(item.job.source),
            str(item.job.target),
            "written",
            width=width,
            height=height,
            frames=1 if photo.animation is None else len(photo.animation.rgb),
            seconds=seconds,
            notes=photo.notes,
        )

    def _fail(self, item: _Item, reason: str) -> None:
        entry = item.entry or Entry(str(item.job.source), str(item.job.target), "failed")
        item.entry = replace(entry, status="failed", error=reason)
        item.photo = None

    def _read(self, job: Job) -> tuple[Photo, float]:
        start = time.perf_counter()
        photo = read_photo(job.source, animated=True, max_pixels=self._max_pixels)
        target_format = format_of(job.target)
        notes = list(photo.notes)
        if photo.animation is not None and photo.format != target_format:
            frames = len(photo.animation.rgb)
            notes.append(f"only the first of {frames} frames: {target_format} is another format")
            photo = replace(photo, animation=None)
        by_name = _format_by_name(job.source)
        if by_name and by_name != photo.format:
            notes.append(f"named like {by_name}, but it is {photo.format}")
        if photo.alpha is not None and target_format in ("JPEG", "BMP"):
            notes.append(f"transparency laid over white: {target_format} has none")
        metadata, lost = fit_metadata(photo.metadata, target_format)
        notes += lost
        photo = replace(photo, metadata=metadata, notes=tuple(notes))
        return photo, time.perf_counter() - start

    def _draw(self, batch: list[_Item]) -> None:
        import tensorflow as tf

        start = time.perf_counter()
        errors = (OSError, ValueError, MemoryError, tf.errors.OpError)
        try:
            cartoons = self._cartoons([item.photo for item in batch if item.photo is not None])
        except errors as error:
            if len(batch) > 1:  # one at a time takes less memory, and only the guilty one fails
                for item in batch:
                    self._draw([item])
                return
            self._fail(batch[0], f"{batch[0].job.source} -> {batch[0].job.target}: {error}")
            return
        seconds = (time.perf_counter() - start) / len(batch)
        for item, cartoon in zip(batch, cartoons):
            assert item.entry is not None
            assert item.photo is not None
            item.entry = replace(item.entry, seconds=item.entry.seconds + seconds)
            self._clean(item.job.target.parent)
            item.writing = self._writers.submit(self._write, item.job, item.photo, cartoon)
            item.photo = None

    def _cartoons(self, photos: list[Photo]) -> list[np.ndarray]:
        """Per photo uint8 [H, W, 3]; [N, H, W, 3] for an animation."""
        animation = photos[0].animation
        if animation is not None:
            step = self._fitting(photos[0])
            parts = [
                self._cartoonizer(animation.rgb[at : at + step], **self._sizes)  # type: ignore[arg-type]
                for at in range(0, len(animation.rgb), step)
            ]
            return [np.concatenate(parts)]
        if len(photos) == 1:
            return [self._cartoonizer(photos[0].rgb, **self._sizes)]  # type: ignore[arg-type]
        stack = np.stack([photo.rgb for photo in photos])
        return list(self._cartoonizer(stack, **self._sizes))  # type: ignore[arg-type]

    def _clean(self, folder: Path) -> None:
        # Before the first of our own writers is there, whom it might cross.
        if folder not in self._cleaned:
            self._cleaned.add(folder)
            remove_leftovers(folder)

    def _write(self, job: Job, photo: Photo, cartoon: np.ndarray) -> float:
        start = time.perf_counter()
        target_format = format_of(job.target)
        if photo.animation is not None:
            alphas = photo.animation.alpha
            if alphas is not None and self._reduced:
                alphas = np.stack([reduce_to_short_side(a, self._short_side) for a in alphas])
            animation = replace(photo.animation, rgb=cartoon, alpha=alphas)
            data = encode_animation(
                animation,
                file_format=target_format,
                quality=self._quality,
                metadata=photo.metadata,
            )
        else:
            alpha = photo.alpha
            if alpha is not None and self._reduced:
                alpha = reduce_to_short_side(alpha, self._short_side)
            data = encode_image(
                cartoon,
                alpha=alpha,
                file_format=target_format,
                quality=self._quality,
                metadata=photo.metadata,
            )
        job.target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(job.target, data)
        return time.perf_counter() - start

    def _settle(self, *, wait: bool) -> bool:
        """Takes the first job from hand if it is done, or waits for its writing; says whether."""
        if not self._in_hand:
            return False
        item = self._in_hand[0]
        if item.writing is not None:
            if not wait and not item.writing.done():
                return False
            self._finish_writing(item, item.writing)
        elif item.entry is None or item.photo is not None:
            return False  # still being read, or in the batch at hand
        self._in_hand.popleft()
        self._pixels_in_hand -= item.cost
        assert item.entry is not None
        self._outcomes.add(item.entry)
        self._bar.update()
        return True

    def _finish_writing(self, item: _Item, writing: Future[float]) -> None:
        assert item.entry is not None
        try:
            item.entry = replace(item.entry, seconds=item.entry.seconds + writing.result())
        except (OSError, ValueError, MemoryError) as error:
            if isinstance(error, OSError) and error.errno in FATAL:
                written = self._outcomes.tally.written
                raise OutputError(item.job.target, error, written=written) from error
            self._fail(item, f"{item.job.source} -> {item.job.target}: {error}")


def _format_by_name(path: Path) -> str | None:
    try:
        return format_of(path)
    except ValueError:
        return None
