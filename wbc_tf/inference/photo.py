"""The stages of one photo: read it, put the cartoon in its place, encode the result.

They are plain functions that share nothing, so that the folder runner, the client, a web page and
a cluster can each call them in their own way.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace

import numpy as np

from wbc_tf.files import PathLike
from wbc_tf.files.animation import Animation, Frame
from wbc_tf.files.formats import format_of
from wbc_tf.files.metadata import fit_metadata
from wbc_tf.files.pictures import ANIMATED, Photo, encode_animation, encode_image, read_photo
from wbc_tf.images import reduce_to_short_side
from wbc_tf.inference.jobs import Job


def read_job(job: Job, *, animated: bool = True, max_pixels: int | None = None) -> Photo:
    """Reads a job's photo as its target's format can hold it.

    Args:
      job: what to read, and what it becomes.
      animated: read all frames of an animation; else the first, with a note.
      max_pixels: refuse larger pictures, all frames together; None leaves it to Pillow.

    Returns:
      The photo. Its notes also name what the target's format cannot hold.

    Raises:
      ImageReadError: the file is missing, broken or too large; the message names it.
    """
    photo = read_photo(job.source, animated=animated, max_pixels=max_pixels)
    return fit_photo(photo, job.source, job.target)


def fit_photo(photo: Photo, source: PathLike, target: PathLike) -> Photo:
    """A photo that was just read, as its target's format can hold it.

    Args:
      photo: from `read_photo` or `decode_photo`.
      source: the name of what was read; its ending may say another format than it has.
      target: the name of what it becomes; its ending says the format.
    """
    target_format = format_of(target)
    notes = list(photo.notes)
    if photo.animation is not None and target_format not in ANIMATED:
        frames = len(photo.animation)
        notes.append(f"only the first of {frames} frames: {target_format} files do not move")
        photo = replace(photo, animation=None)
    elif photo.animation is not None:
        photo = replace(photo, animation=_played(photo.animation, photo.format, target_format))
    by_name = _format_by_name(source)
    if by_name and by_name != photo.format:
        notes.append(f"named like {by_name}, but it is {photo.format}")
    if photo.alpha is not None and target_format in ("JPEG", "BMP"):
        notes.append(f"transparency laid over white: {target_format} has none")
    if (
        photo.alpha is not None
        and target_format == "GIF"
        and photo.alpha.max(initial=0, where=photo.alpha < 255)
    ):
        notes.append("pixels that are partly transparent become opaque or clear: GIF has no others")
    metadata, lost = fit_metadata(photo.metadata, target_format)
    return replace(photo, metadata=metadata, notes=(*notes, *lost))


def _played(animation: Animation, source: str, target: str) -> Animation:
    """Says in the target format how often it plays: a GIF that plays once says nothing."""
    if source == "GIF" != target and animation.loop is None:
        return replace(animation, loop=1)
    if source != "GIF" == target and animation.loop == 1:
        return replace(animation, loop=None)
    return animation


def as_cartoon(photo: Photo, cartoon: np.ndarray) -> Photo:
    """The photo with the cartoon in place of its pixels, and its transparency at that size.

    Args:
      photo: from `read_job`; no animation.
      cartoon: uint8 [h, w, 3]; as large as the photo, or reduced as
        `wbc_tf.images.reduce_to_short_side` does it.
    """
    return replace(photo, rgb=cartoon, alpha=_reduced_to(photo.alpha, cartoon))


def as_moving_cartoon(
    photo: Photo, draw: Callable[[np.ndarray], np.ndarray], *, at_once: int
) -> Photo:
    """The same for an animation; its frames are drawn when they are asked for.

    Args:
      photo: from `read_job`, with an animation.
      draw: uint8 [n, H, W, 3] -> the cartoons, uint8 [n, h, w, 3].
      at_once: n at most, which is also how many frames are in memory at once.
    """
    animation = photo.animation
    assert animation is not None

    def frames() -> Generator[Frame, None, None]:
        with closing(animation.frames()) as originals:
            while group := list(itertools.islice(originals, at_once)):
                cartoons = draw(np.stack([frame.rgb for frame in group]))
                for frame, cartoon in zip(group, cartoons):
                    yield Frame(cartoon, _reduced_to(frame.alpha, cartoon))

    return replace(photo, animation=replace(animation, frames=frames))


def encode_result(photo: Photo, target: PathLike, *, quality: int = 95) -> bytes:
    """The content of the file to be written.

    Args:
      photo: from `as_cartoon` or `as_moving_cartoon`; the latter's frames are drawn meanwhile.
      target: the file; its extension says the format.
      quality: of JPEG and WebP, 1 to 100.
    """
    file_format = format_of(target)
    if photo.animation is not None:
        return encode_animation(
            photo.animation, file_format=file_format, quality=quality, metadata=photo.metadata
        )
    return encode_image(
        photo.rgb,
        alpha=photo.alpha,
        file_format=file_format,
        quality=quality,
        metadata=photo.metadata,
    )


def _reduced_to(alpha: np.ndarray | None, cartoon: np.ndarray) -> np.ndarray | None:
    if alpha is None or alpha.shape == cartoon.shape[:2]:
        return alpha
    return reduce_to_short_side(alpha, min(cartoon.shape[:2]))


def _format_by_name(path: PathLike) -> str | None:
    try:
        return format_of(path)
    except ValueError:
        return None
