"""Many photos from file to file: reading, drawing and writing overlap; no bad file stops the rest.

A photo goes through four steps, each a function here:

1. `_plan`: skip what is there already; else count the photo's pixels from its header.
2. `read_step`: read the file (several threads).
3. `draw_steps`: draw neighbours of one size together (one thread). An animation is also encoded
   here, frame by frame, so that its frames are not in memory at once.
4. `write_step`: encode and write the result (several threads).

The caller's thread takes the photos in the order of the jobs and tells what became of each. What
is drawn together depends on the jobs alone, never on which thread was faster. A worker of a cluster
takes the last three steps in its own way.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wbc_tf.files.claims import CLAIMED, Claims
from wbc_tf.files.pictures import Photo, count_pixels
from wbc_tf.files.whole import remove_leftovers, write_whole
from wbc_tf.images import reduced_size
from wbc_tf.inference.ahead import ahead, worked_ahead
from wbc_tf.inference.engines import NetworkError
from wbc_tf.inference.jobs import ENDS_ALL, Job, OutputError, Tally
from wbc_tf.inference.photo import as_cartoon, as_moving_cartoon, encode_result, read_job
from wbc_tf.inference.progress import Listener, Silence
from wbc_tf.inference.report import Entry
from wbc_tf.inference.settings import DrawSettings

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer

# Most pixels of photos that are read and not yet drawn, and as many of cartoons that are drawn and
# not yet written: 3 bytes each. A single photo may be larger.
_PIXELS_AHEAD = 32_000_000
# A smaller photo counts as so many, so that no more than 16 wait.
_LEAST_COST = _PIXELS_AHEAD // 16
# Working pixels in a call of the network: one picture at the authors' resolution. Together, sixteen
# pictures of 240 x 180 take 22% less time than alone, because there a call costs more than the
# picture. Two of 960 x 720 take 1% less, and 390 MB more.
_BATCH_PIXELS = 700_000
_BATCH = 32


@dataclass(frozen=True)
class Step:
    """A photo on its way.

    Attributes:
      entry: what is known of it so far; its status is "written" until something else is certain.
      pixels: of all frames together, as far as the header tells.
      photo: its pixels; the photo's before drawing, then the cartoon's. None where nothing is left
        to do: skipped, failed or written.
      content: of the file to be written, where it is encoded already.
      ends_all: the error that each further file would meet too.
    """

    entry: Entry
    pixels: int = 0
    photo: Photo | None = None
    content: bytes | None = None
    ends_all: OSError | None = None

    def failed(self, reason: str) -> Step:
        """As far as it came, and why it ends here."""
        return replace(self, entry=replace(self.entry, status="failed", error=reason), photo=None)


def pictures_at_once(height: int, width: int, short_side: int) -> int:
    """How many pictures of one size go into a call of the network."""
    rows, columns = reduced_size(height, width, short_side)
    return max(1, min(_BATCH, _BATCH_PIXELS // (rows * columns)))


def working_side(cartoonizer: Cartoonizer, settings: DrawSettings) -> int:
    """The working resolution that `settings` ask of this model."""
    return cartoonizer.short_side if settings.short_side is None else settings.short_side


def draw_photo(cartoonizer: Cartoonizer, photo: Photo, settings: DrawSettings) -> Photo:
    """The cartoon of one photo, as `cartoonize_photos` makes it.

    Args:
      cartoonizer: the model.
      photo: from `read_job`.
      settings: how to draw.

    Returns:
      What `encode_result` takes. Of an animation the first frame is drawn; the others are drawn
      while it is encoded.

    Raises:
      ValueError, MemoryError, NetworkError: as `Cartoonizer` raises them.
    """
    drawn = as_cartoon(photo, cartoonizer(photo.rgb, **settings.arguments()))
    if photo.animation is None:
        return drawn
    return replace(drawn, animation=_moving_cartoon(cartoonizer, photo, settings).animation)


def _moving_cartoon(cartoonizer: Cartoonizer, photo: Photo, settings: DrawSettings) -> Photo:
    """An animation's cartoon; its frames are drawn when they are asked for."""
    height, width = photo.rgb.shape[:2]
    return as_moving_cartoon(
        photo,
        lambda rgb: cartoonizer(rgb, **settings.arguments()),
        at_once=pictures_at_once(height, width, working_side(cartoonizer, settings)),
    )


def cartoonize_photos(
    cartoonizer: Cartoonizer,
    jobs: Sequence[Job],
    settings: DrawSettings,
    *,
    quality: int = 95,
    overwrite: bool = False,
    max_pixels: int | None = None,
    listener: Listener | None = None,
) -> Tally:
    """Draws each job's photo and writes it; a bad file is reported and counted.

    An animation stays one where the target's format can hold one. Files are whole or not there:
    after an interruption at any moment, even by ``kill -9``, the same call goes on from there.
    Several processes that make the same call without `overwrite` share the jobs.

    Args:
      cartoonizer: the model.
      jobs: from `plan_jobs`.
      settings: how to draw.
      quality: of JPEG and WebP, 1 to 100.
      overwrite: make files again that are already there; else they are skipped.
      max_pixels: refuse larger pictures, all frames together; None leaves it to Pillow.
      listener: is told what becomes of each job, in their order.

    Raises:
      OutputError: the disk is full or read-only.
    """
    for folder in {job.target.parent for job in jobs}:
        remove_leftovers(folder)
    workers = min(4, os.cpu_count() or 1)
    stop: list[Step] = []
    claims = Claims()
    steps = worked_ahead(
        lambda step: read_step(step, lambda: _read(step, max_pixels)),
        _plan(jobs, overwrite=overwrite, max_pixels=max_pixels),
        workers=workers,
        capacity=_PIXELS_AHEAD,
        cost=_cost,
    )
    steps = _draw(
        cartoonizer,
        steps,
        settings,
        quality=quality,
        claim=partial(_claimed, claims=claims, overwrite=overwrite),
        stop=stop,
    )
    steps = worked_ahead(
        lambda step: write_step(step, partial(_write, step), quality=quality),
        steps,
        workers=workers,
        capacity=_PIXELS_AHEAD,
        cost=_cost,
    )
    tally = Tally()
    listener = listener or Silence()
    listener.begun(len(jobs))
    with claims, closing(steps):
        for step in steps:
            claims.release(Path(step.entry.target))
            if step.ends_all is not None:
                stop.append(step)  # what is being written now is still finished and counted
                continue
            tally = tally.counted(step.entry.status)
            listener.done(step.entry)
    if stop:
        assert stop[0].ends_all is not None
        raise OutputError(Path(stop[0].entry.target).parent, stop[0].ends_all)
    return tally


def _cost(step: Step) -> int:
    return 0 if step.entry.status == "skipped" else max(step.pixels, _LEAST_COST)


def _plan(
    jobs: Sequence[Job], *, overwrite: bool, max_pixels: int | None
) -> Generator[Step, None, None]:
    for job in jobs:
        entry = Entry(str(job.source), str(job.target), "written")
        if os.path.exists(job.target) and not overwrite:  # Path.exists fails on too long a name
            yield Step(replace(entry, status="skipped"))
        else:
            yield Step(entry, pixels=count_pixels(job.source, max_pixels=max_pixels))


def _read(step: Step, max_pixels: int | None) -> Photo:
    job = Job(Path(step.entry.source), Path(step.entry.target))
    return read_job(job, max_pixels=max_pixels)


def read_step(step: Step, read: Callable[[], Photo]) -> Step:
    """The step with its photo; what is done already stays as it is.

    Args:
      step: what to read.
      read: reads it as `read_job` does, with the same errors.
    """
    if step.entry.status != "written":
        return step
    start = time.perf_counter()
    try:
        photo = read()
    except (OSError, ValueError, MemoryError) as error:
        return step.failed(str(error))
    height, width = photo.rgb.shape[:2]
    entry = replace(
        step.entry,
        width=width,
        height=height,
        frames=1 if photo.animation is None else len(photo.animation),
        seconds=time.perf_counter() - start,
        notes=photo.notes,
    )
    return replace(step, entry=entry, photo=photo)


def _draw(
    cartoonizer: Cartoonizer,
    steps: Generator[Step, None, None],
    settings: DrawSettings,
    *,
    quality: int,
    claim: Callable[[Step], Step],
    stop: Sequence[Step],
) -> Generator[Step, None, None]:
    short_side = working_side(cartoonizer, settings)
    with closing(steps):
        for batch in _batches(steps, short_side):
            if stop:
                return
            drawn = draw_steps(cartoonizer, list(map(claim, batch)), settings, quality=quality)
            batch.clear()  # the photos; large ones should not stay while the next are read
            while drawn:
                yield drawn.pop(0)


def _claimed(step: Step, *, claims: Claims, overwrite: bool) -> Step:
    """The step; skipped where another process is making the file or has just made it.

    Drawing takes longest, so the claim is made just before it, and other processes find as much as
    possible to do.
    """
    if step.photo is None:
        return step
    target = Path(step.entry.target)
    if not claims.take(target):
        entry = replace(step.entry, status="skipped", notes=(CLAIMED,))
    elif os.path.exists(target) and not overwrite:
        entry = replace(step.entry, status="skipped")
    else:
        return step
    return replace(step, entry=entry, photo=None)


def _batches(steps: Iterable[Step], short_side: int) -> Iterator[list[Step]]:
    """Neighbours of one size together, as many as a call of the network takes; animations alone.

    The first photo goes alone, so that a result is there soon; then two, four and so on. Jobs that
    are done already stay at their place in the order.
    """
    batch: list[Step] = []
    at_once = 1
    for step in steps:
        photos = [other.photo for other in batch if other.photo is not None]
        if step.photo is not None and photos:
            height, width = step.photo.rgb.shape[:2]
            full = len(photos) == min(at_once, pictures_at_once(height, width, short_side))
            pixels = sum(photo.rgb.size // 3 for photo in (*photos, step.photo))
            if (
                full
                or photos[0].rgb.shape != step.photo.rgb.shape
                or photos[0].animation is not None
                or step.photo.animation is not None
                or pixels > _PIXELS_AHEAD // 2
            ):
                yield batch
                batch, photos = [], []
                at_once = min(2 * at_once, _BATCH)
        batch.append(step)
        if step.photo is None and not photos:
            yield batch
            batch = []
    if batch:
        yield batch


def draw_steps(
    cartoonizer: Cartoonizer, batch: list[Step], settings: DrawSettings, *, quality: int
) -> list[Step]:
    """The steps with cartoons in place of their photos, which are drawn together.

    Args:
      cartoonizer: the model.
      batch: photos of one size, or one animation; steps without a photo stay as they are.
      settings: how to draw.
      quality: of an animation's WebP, which is encoded here.
    """
    start = time.perf_counter()
    photos = [step.photo for step in batch if step.photo is not None]
    try:
        if photos and photos[0].animation is not None:
            return [
                step
                if step.photo is None
                else _moved(cartoonizer, step, step.photo, settings, quality=quality)
                for step in batch
            ]
        cartoons = _cartoons(cartoonizer, photos, settings)
    except (OSError, ValueError, MemoryError, NetworkError) as error:
        if len(batch) > 1:  # one at a time takes less memory, and only the cause itself fails
            return [
                drawn
                for step in batch
                for drawn in draw_steps(cartoonizer, [step], settings, quality=quality)
            ]
        (step,) = batch
        return [step.failed(f"{step.entry.source} -> {step.entry.target}: {error}")]
    seconds = (time.perf_counter() - start) / max(1, len(photos))
    remaining = iter(cartoons)
    return [
        step
        if step.photo is None
        else _timed(replace(step, photo=as_cartoon(step.photo, next(remaining))), seconds)
        for step in batch
    ]


def _timed(step: Step, seconds: float) -> Step:
    return replace(step, entry=replace(step.entry, seconds=step.entry.seconds + seconds))


def _moved(
    cartoonizer: Cartoonizer,
    step: Step,
    photo: Photo,
    settings: DrawSettings,
    *,
    quality: int,
) -> Step:
    """The step with an animation's cartoon encoded; the next frames are drawn meanwhile."""
    start = time.perf_counter()
    drawn = _moving_cartoon(cartoonizer, photo, settings)
    assert drawn.animation is not None
    frames = drawn.animation.frames
    drawn_ahead = replace(
        drawn.animation,
        frames=lambda: ahead(
            frames(), capacity=_PIXELS_AHEAD // 4, cost=lambda frame: frame.rgb.size // 3
        ),
    )
    drawn = replace(drawn, animation=drawn_ahead)
    content = encode_result(drawn, step.entry.target, quality=quality)
    return _timed(replace(step, content=content), time.perf_counter() - start)


def _cartoons(
    cartoonizer: Cartoonizer, photos: list[Photo], settings: DrawSettings
) -> list[np.ndarray]:
    """Per photo uint8 [H, W, 3]."""
    arguments = settings.arguments()
    if not photos:
        return []
    if len(photos) == 1:
        return [cartoonizer(photos[0].rgb, **arguments)]
    return list(cartoonizer(np.stack([photo.rgb for photo in photos]), **arguments))


def _write(step: Step, data: bytes) -> None:
    target = Path(step.entry.target)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, data)


def write_step(step: Step, write: Callable[[bytes], None], *, quality: int) -> Step:
    """The step when its cartoon is encoded and written; what is done already stays as it is.

    Args:
      step: from `draw_steps`.
      write: writes the content of the file, whole or not at all.
      quality: of JPEG and WebP, 1 to 100.
    """
    if step.photo is None:
        return step
    start = time.perf_counter()
    target = step.entry.target
    try:
        data = step.content
        if data is None:
            data = encode_result(step.photo, target, quality=quality)
        write(data)
    except (OSError, ValueError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno in ENDS_ALL:
            return replace(step, photo=None, ends_all=error)
        return step.failed(f"{step.entry.source} -> {target}: {error}")
    return _timed(replace(step, photo=None, content=None), time.perf_counter() - start)
