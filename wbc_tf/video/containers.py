"""Which files are videos, and what goes into which container. Needs no PyAV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wbc_tf.files import PathLike


@dataclass(frozen=True)
class Container:
    """A kind of file that we write.

    Attributes:
      muxer: FFmpeg's name of what writes it.
      codecs: of the picture, see `wbc_tf.video.codecs`; the first is the default.
      sound: what sound becomes that cannot be copied, as FFmpeg's encoder.
      subtitles: what text becomes that cannot be copied; None where there are no subtitles.
      attachments: it holds fonts and other files.
      turns: it can say that players are to turn the picture.
      shapes: it can say that pixels are no squares, whatever the codec.
      times: it has timestamps; else one rate, at which frames are counted.
    """

    muxer: str
    codecs: tuple[str, ...]
    sound: str
    subtitles: str | None
    attachments: bool = False
    turns: bool = True
    shapes: bool = False
    times: bool = True


_MP4 = Container("mp4", ("h264", "hevc", "vp9", "av1"), "aac", "mov_text", shapes=True)

#: By file extension.
CONTAINERS = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": Container("mov", ("h264", "hevc"), "aac", "mov_text", shapes=True),
    ".mkv": Container(
        "matroska", ("h264", "hevc", "vp9", "av1", "ffv1"), "aac", "ass", attachments=True
    ),
    ".webm": Container("webm", ("vp9", "av1"), "libopus", "webvtt"),
    ".avi": Container("avi", ("h264", "ffv1"), "ac3", None, turns=False, times=False),
}

#: What a folder is searched for. What we read but do not write becomes Matroska, which holds most.
VIDEO_EXTENSIONS = (
    *CONTAINERS,
    *(".mpg", ".mpeg", ".vob", ".ts", ".mts", ".m2ts", ".3gp", ".wmv", ".flv", ".ogv"),
)
OTHERWISE = ".mkv"


def is_video(path: PathLike) -> bool:
    """Whether a file is to be taken for a video, by its name."""
    return Path(path).suffix.lower() in VIDEO_EXTENSIONS


def container_of(path: PathLike) -> Container:
    """The container that a file's extension asks for.

    Raises:
      ValueError: the extension is none that we write.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in CONTAINERS:
        raise ValueError(
            f"{path}: a video cannot be written as '{suffix}'; choose one of "
            f"{', '.join(sorted(CONTAINERS))}"
        )
    return CONTAINERS[suffix]
