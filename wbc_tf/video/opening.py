"""From a path to an open file with a picture in it, or to a reason that people understand."""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from wbc_tf.video.containers import CONTAINERS

_TS_DISCONT = 0x200  # FFmpeg's AVFMT_TS_DISCONT


class VideoReadError(ValueError):
    """A file that is no readable video; the message names it and says why."""


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """Opens a file and finds the stream that is its picture.

    Raises:
      VideoReadError: no file, no video, or one that FFmpeg here cannot decode.
    """
    if path.exists() and not path.is_file():
        # Opening a pipe would wait for ever.
        kind = "a folder" if path.is_dir() else "a pipe or device"
        raise VideoReadError(f"{path}: {kind}, not a file")
    try:
        # With the protocol named, a colon in a file's name is no protocol. And a playlist that is
        # called a video must not make us fetch what it lists.
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
    except FileNotFoundError as error:
        reason = "a link to nothing" if path.is_symlink() else "there is no such file"
        raise VideoReadError(f"{path}: {reason}") from error
    except av.FFmpegError as error:
        raise VideoReadError(f"{path}: {_what_it_is(path, error)}") from error
    try:
        return container, _picture(container, path)
    except BaseException:
        container.close()
        raise


def _what_it_is(path: Path, error: av.FFmpegError) -> str:
    try:
        with path.open("rb") as stream:
            head = stream.read(12)
    except OSError as unreadable:
        return f"cannot be read ({unreadable.strerror})"
    if not head:
        return "an empty file"
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return "cut off or broken: its table of contents, which comes last, is missing"
    return f"not a video that FFmpeg can read ({error.strerror})"


def _picture(container: InputContainer, path: Path) -> VideoStream:
    # A cover is a picture, but no video.
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        there = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise VideoReadError(f"{path}: there is no video in it, only {there}")
    best = container.streams.best("video")
    stream = next((s for s in moving if best is not None and s.index == best.index), moving[0])
    if stream.codec_context is None:
        raise VideoReadError(f"{path}: FFmpeg here cannot decode its picture")
    return stream


def is_broadcast(container: InputContainer) -> bool:
    """Whether it is of a kind that is cut out of an endless stream: its clock begins anywhere."""
    return bool(container.format.flags & _TS_DISCONT)


def misnamed(path: Path, container: InputContainer) -> str | None:
    """A note where a file is of another kind than its name says; videos of any name are read."""
    stated = CONTAINERS.get(path.suffix.lower())
    names = container.format.name.split(",")
    if stated is None or stated.muxer in names:
        return None
    return f"named like {stated.muxer}, but it is {container.format.long_name}"
