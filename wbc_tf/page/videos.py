"""A video of one request, with progress; it can be cancelled. Needs PyAV."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
from tqdm import tqdm

from wbc_tf.inference.jobs import Job
from wbc_tf.inference.settings import VideoSettings
from wbc_tf.inference.video import cartoonize_video
from wbc_tf.page.limits import Limits
from wbc_tf.page.refusal import Refusal, without_folders

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer

#: Codecs to choose from, all of which browsers play, and the container of each.
CONTAINER = {"h264": ".mp4", "vp9": ".webm", "av1": ".mp4"}
#: Qualities to choose from, as steps from each codec's usual crf; fewer is better.
QUALITIES = {"high": 0, "medium": 6, "small file": 12}


class Cancelled(Exception):  # noqa: N818  # no fault either
    """The visitor cancelled the request."""


def draw_video(
    cartoonizer: Cartoonizer,
    source: Path,
    settings: VideoSettings,
    folder: Path,
    *,
    limits: Limits,
    progress: Callable[[int, int | None, str], None] = lambda done, total, left: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Path, tuple[str, ...]]:
    """Makes a cartoon of a video.

    Args:
      cartoonizer: the model.
      source: the uploaded file.
      settings: how; the codec is a key of `CONTAINER`.
      folder: an empty folder for the result.
      limits: of this page.
      progress: is called with the number of frames that are done, that of all if known, and the
        time left as text.
      is_cancelled: is asked after each frame.

    Returns:
      The file, and what was lost on the way.

    Raises:
      Cancelled: `is_cancelled` said so. Nothing is left of the result.
      Refusal: the video cannot be made; the message says why.
    """
    if settings.codec not in CONTAINER:
        raise Refusal(f"Choose one of the codecs {', '.join(CONTAINER)}.")
    if settings.duration is None or not 0 < settings.duration <= limits.max_video_seconds:
        raise Refusal(
            f"At most {limits.max_video_seconds:g} seconds of a video are made. Choose a shorter "
            "duration."
        )
    began = time.monotonic()

    def frames(done: int, total: int | None) -> None:
        if is_cancelled():
            raise Cancelled
        left = ""
        if total:
            seconds = (time.monotonic() - began) / done * max(0, total - done)
            left = f"about {tqdm.format_interval(seconds)} left"
        progress(done, total, left)

    job = Job(source, folder / f"{source.stem}{CONTAINER[settings.codec]}")
    settings = replace(settings, max_pixels=limits.max_pixels)
    try:
        entry = cartoonize_video(cartoonizer, job, settings, frames)
    except (ValueError, av.FFmpegError) as error:
        reason = without_folders(str(error), source)
        if "too many pixels" in reason:
            reason = (
                f"{source.name}: its frames have too many pixels. At most "
                f"{limits.max_megapixels:g} megapixels are allowed"
            )
        raise Refusal(f"{reason}.") from error
    return job.target, entry.notes
