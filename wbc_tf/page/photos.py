"""The photos of a request: to the files that the command line makes, previews and a ZIP file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from wbc_tf.files.pictures import Photo, encode_image
from wbc_tf.images import reduced_size
from wbc_tf.inference.engines import NetworkError
from wbc_tf.inference.jobs import Job, plan_jobs
from wbc_tf.inference.photo import encode_result, read_job
from wbc_tf.inference.photos import cartoonize_photos, draw_photo
from wbc_tf.inference.report import Entry
from wbc_tf.inference.settings import DrawSettings
from wbc_tf.page.limits import Limits
from wbc_tf.page.refusal import Refusal, without_folders

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer

#: Short side of what the page shows, in pixels; the files to download have the photos' own size.
PREVIEW_SIDE = 900
_PREVIEW_QUALITY = 92


@dataclass(frozen=True)
class Drawn:
    """What became of the photos of a request.

    Attributes:
      files: the cartoons, each in the format and size of its photo.
      failures: a sentence for each photo that could not be made.
      notes: what was lost on the way, each a phrase with its photo's name.
    """

    files: tuple[Path, ...]
    failures: tuple[str, ...]
    notes: tuple[str, ...]


def draw_photos(
    cartoonizer: Cartoonizer,
    sources: Sequence[Path],
    settings: DrawSettings,
    folder: Path,
    *,
    limits: Limits,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Drawn:
    """Makes cartoons of photos. The files have the very bytes that ``cartoonize.py`` writes.

    Args:
      cartoonizer: the model.
      sources: uploaded files; several may have the same name.
      settings: how to draw.
      folder: an empty folder for the results.
      limits: of this page.
      progress: is called with the number of photos that are done, and of all.

    Raises:
      Refusal: no photo, too many, or none of them could be made.
    """
    if not sources:
        raise Refusal("Choose a photo first.")
    if len(sources) > limits.max_photos:
        raise Refusal(
            f"{len(sources)} photos are too many for one request. At most {limits.max_photos} are "
            "allowed."
        )
    # A folder for each: photos of several folders may have the same name.
    jobs: list[Job] = []
    for number, source in enumerate(sources):
        jobs += plan_jobs([str(source)], f"{folder / str(number)}/")
    listener = _Listener(progress)
    cartoonize_photos(cartoonizer, jobs, settings, max_pixels=limits.max_pixels, listener=listener)
    made = [job for job, entry in zip(jobs, listener.entries) if entry.status == "written"]
    failures = tuple(
        _sentence(
            entry.error.replace(f"{entry.source} -> {entry.target}", entry.source),
            Path(entry.source),
            limits,
        )
        for entry in listener.entries
        if entry.error
    )
    if not made:
        raise Refusal(" ".join(failures))
    return Drawn(
        files=tuple(job.target for job in made),
        failures=failures,
        notes=tuple(
            f"{Path(entry.source).name}: {note}"
            for entry in listener.entries
            for note in entry.notes
        ),
    )


def read_upload(source: Path, folder: Path, *, limits: Limits) -> tuple[Job, Photo]:
    """Reads one photo. With `draw_upload` and `encode_upload` it gives what `draw_photos` gives.

    Args:
      source: the uploaded file.
      folder: where the result will lie.
      limits: of this page.

    Returns:
      The job, whose target is the file for the result, and the photo.

    Raises:
      Refusal: no picture, a broken one, or too large.
    """
    (job,) = plan_jobs([str(source)], f"{folder}/")
    try:
        return job, read_job(job, max_pixels=limits.max_pixels)
    except (OSError, ValueError, MemoryError) as error:
        raise Refusal(_sentence(str(error), job.source, limits)) from error


def draw_upload(
    cartoonizer: Cartoonizer, job: Job, photo: Photo, settings: DrawSettings, *, limits: Limits
) -> Photo:
    """The cartoon of a photo that `read_upload` has read.

    Raises:
      Refusal: this model cannot draw it.
    """
    try:
        return draw_photo(cartoonizer, photo, settings)
    except (OSError, ValueError, MemoryError, NetworkError) as error:
        raise Refusal(_sentence(f"{job.source}: {error}", job.source, limits)) from error


def encode_upload(job: Job, cartoon: Photo, *, limits: Limits) -> bytes:
    """The content of the file for a cartoon from `draw_upload`.

    Raises:
      Refusal: a later frame of an animation is broken or cannot be drawn.
    """
    try:
        return encode_result(cartoon, job.target)
    except (OSError, ValueError, MemoryError, NetworkError) as error:
        raise Refusal(_sentence(f"{job.source}: {error}", job.source, limits)) from error


def write_preview(photo: Photo, folder: Path, name: str) -> Path:
    """A reduced JPEG of a picture's first frame, which each browser can show.

    Args:
      photo: a photo or a cartoon.
      folder: where to write it.
      name: of the file, without its ending.
    """
    alpha = photo.alpha
    data = encode_image(
        _reduced(photo.rgb),
        alpha=None if alpha is None else _reduced(alpha),
        file_format="JPEG",
        quality=_PREVIEW_QUALITY,
    )
    file = folder / f"{name}.jpg"
    file.write_bytes(data)
    return file


def _reduced(pixels: np.ndarray) -> np.ndarray:
    """Pixels at `PREVIEW_SIDE`. To halve large ones first takes a third of the time."""
    height, width = reduced_size(pixels.shape[0], pixels.shape[1], PREVIEW_SIDE)
    while min(pixels.shape[:2]) >= 2 * PREVIEW_SIDE:
        rows, columns = (side // 2 for side in pixels.shape[:2])
        even = pixels[: 2 * rows, : 2 * columns]
        pixels = cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA)
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def write_zip(files: Sequence[Path], file: Path) -> None:
    """Puts pictures into a ZIP file; the second of a name becomes ``name-2.jpg``."""
    names: set[str] = set()
    # Pictures are compressed already.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for path in files:
            name, number = path.name, 1
            while name.casefold() in names:
                number += 1
                name = f"{path.stem}-{number}{path.suffix}"
            names.add(name.casefold())
            archive.write(path, name)


def _sentence(message: str, source: Path, limits: Limits) -> str:
    message = without_folders(message, source)
    # The name of a library says nothing to a visitor.
    message = message.replace("that Pillow can read", "of a kind that can be read here")
    if "too many pixels" in message:
        message = f"{message.split(':')[0]}: it has too many pixels. At most " + (
            f"{limits.max_megapixels:g} megapixels are allowed"
        )
    return f"{message}."


@dataclass
class _Listener:
    progress: Callable[[int, int], None]
    entries: list[Entry] = field(default_factory=list)
    total: int = 0

    def begun(self, total: int) -> None:
        self.total = total

    def frames(self, source: str, done: int, total: int | None) -> None:
        raise AssertionError("photos have no frames")

    def done(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.progress(len(self.entries), self.total)
