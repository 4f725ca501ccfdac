"""Many photos through a model server, from file to file."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from wbc_tf.files.claims import CLAIMED, Claims
from wbc_tf.files.formats import format_of
from wbc_tf.files.metadata import add_to_jpeg, srgb_profile
from wbc_tf.files.pictures import Photo, decode_photo, encode_image
from wbc_tf.files.whole import remove_leftovers, write_whole
from wbc_tf.inference.ahead import worked_ahead
from wbc_tf.inference.jobs import ENDS_ALL, Job, OutputError, Tally
from wbc_tf.inference.photo import read_job
from wbc_tf.inference.progress import Listener, Silence
from wbc_tf.inference.report import Entry
from wbc_tf.serving.remote import Connection, ServerError, with_retries


def cartoonize_remotely(
    connection: Connection,
    jobs: Sequence[Job],
    *,
    concurrency: int,
    retries: int,
    deadline: float,
    quality: int = 95,
    overwrite: bool = False,
    max_pixels: int | None = None,
    listener: Listener | None = None,
) -> Tally:
    """Has each job's photo drawn by the server; a photo that fails is reported and counted.

    Args:
      connection: to the model.
      jobs: from `plan_jobs`.
      concurrency: requests sent at the same time. Twice as many photos at most are sent or waiting.
      retries: see `with_retries`.
      deadline: seconds for a picture, see there.
      quality: of JPEG and WebP files that the server did not send as such, 1 to 100.
      overwrite: make files again that are already there; else they are skipped.
      max_pixels: refuse larger photos; None leaves it to Pillow.
      listener: is told what becomes of each job, in their order.

    Raises:
      OutputError: the disk is full or read-only.
    """

    def make(job: Job) -> Entry:
        entry = Entry(str(job.source), str(job.target), "written")
        if os.path.exists(job.target) and not overwrite:
            return replace(entry, status="skipped")
        if not claims.take(job.target):
            return replace(entry, status="skipped", notes=(CLAIMED,))
        start = time.perf_counter()
        try:
            photo = read_job(job, animated=False, max_pixels=max_pixels)
            image = _sendable(job, photo)
            answer = with_retries(
                lambda seconds: connection.cartoonize(image, timeout=seconds),
                retries=retries,
                deadline=deadline,
            )
            _write(job, photo, answer, quality=quality)
        except (ServerError, OSError, ValueError, MemoryError) as error:
            if isinstance(error, OSError) and error.errno in ENDS_ALL:
                raise OutputError(job.target.parent, error) from error
            reason = f"{job.source} -> {job.target}: {error}"
            return replace(entry, status="failed", error=reason)
        height, width = photo.rgb.shape[:2]
        return replace(
            entry,
            width=width,
            height=height,
            frames=1,
            seconds=time.perf_counter() - start,
            notes=photo.notes,
        )

    def given() -> Generator[Job, None, None]:
        yield from jobs

    listener = listener or Silence()
    claims, tally = Claims(), Tally()
    for folder in {job.target.parent for job in jobs}:
        remove_leftovers(folder)
    listener.begun(len(jobs))
    entries = worked_ahead(
        make, given(), workers=concurrency, capacity=2 * concurrency, cost=lambda _: 1
    )
    with claims, closing(entries):
        for job, entry in zip(jobs, entries):
            claims.release(job.target)
            tally = tally.counted(entry.status)
            listener.done(entry)
    return tally


def _sendable(job: Job, photo: Photo) -> bytes:
    """The file itself where the server reads it as we do; else the same pixels as PNG.

    The server turns JPEG files upright, but it knows neither colour profiles nor EXIF in PNG files.
    """
    converted = photo.metadata.icc_profile == srgb_profile()
    deep = any(note.startswith("16 bits") for note in photo.notes)
    plain = not converted and not deep
    if plain and (photo.format == "JPEG" or (photo.format == "PNG" and not photo.metadata.exif)):
        return job.source.read_bytes()
    return encode_image(photo.rgb, alpha=photo.alpha, file_format="PNG")


def _write(job: Job, photo: Photo, answer: bytes, *, quality: int) -> None:
    # Decoded even where its bytes are written unchanged: only a picture may become a file.
    cartoon = decode_photo(answer, name="the server's answer")
    file_format = format_of(job.target)
    if cartoon.format == file_format == "JPEG":
        data = add_to_jpeg(answer, photo.metadata)
    else:
        data = encode_image(
            cartoon.rgb,
            alpha=cartoon.alpha,
            file_format=file_format,
            quality=quality,
            metadata=photo.metadata,
        )
    job.target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(job.target, data)
