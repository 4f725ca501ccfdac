"""Codecs, containers and file endings of videos. Importing this does not import PyAV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wbc_tf.files import PathLike

#: The oldest PyAV that works here: the first that writes chapters and rotation.
OLDEST_PYAV = (17, 1)

#: x264's names, from the fastest to the slowest. Other encoders' scales are mapped to these.
PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow"),
)


class PyAVError(ImportError):
    """PyAV is missing or too old; the message says how to get it."""


def check_pyav() -> None:
    """Call this before importing a module that imports PyAV.

    Raises:
      PyAVError: PyAV is missing or too old.
    """
    wanted = ".".join(map(str, OLDEST_PYAV))
    try:
        import av
    except ImportError as error:
        raise PyAVError(
            f"videos need PyAV ({error}). Get it by: pip install '.[video]' (Python 3.10 or newer)"
        ) from error
    if pyav_version() < OLDEST_PYAV:
        raise PyAVError(
            f"videos need PyAV {wanted}, which is the first to keep chapters and rotation; here "
            f"is {av.__version__}. Get it by: pip install '.[video]' (Python 3.10 or newer)"
        )


def pyav_version() -> tuple[int, int]:
    """Major and minor version of the installed PyAV."""
    import av

    major, minor = av.__version__.split(".")[:2]
    return int(major), int(minor)


@dataclass(frozen=True)
class Codec:
    """A way to compress the picture.

    Attributes:
      encoder: FFmpeg's name of the encoder.
      crf: default quality, visually the same as the source; lower is better. None: lossless.
      worst: the largest crf.
      pixels: FFmpeg's pixel format.
      odd_pixels: the pixel format for pictures with an odd width or height.
      stores_pixel_shape: its stream can say that pixels are not square.
      tag: its name in MP4, where that differs from FFmpeg's default.
    """

    encoder: str
    crf: int | None
    worst: int
    pixels: str = "yuv420p"
    odd_pixels: str = "yuv420p"
    stores_pixel_shape: bool = False
    tag: str | None = None


# H.264 and H.265 with 4:2:0 chroma only allow even sizes, also for the cropped picture, so padding
# does not help. With 4:4:4 chroma they allow all sizes. Apple's players want H.265 tagged hvc1.
# FFV1 is stored as RGB, so that it is exact to the last bit.
CODECS = {
    "h264": Codec("libx264", 18, 51, odd_pixels="yuv444p", stores_pixel_shape=True),
    "hevc": Codec("libx265", 20, 51, odd_pixels="yuv444p", stores_pixel_shape=True, tag="hvc1"),
    "vp9": Codec("libvpx-vp9", 24, 63),
    "av1": Codec("libsvtav1", 24, 63),
    "ffv1": Codec("ffv1", None, 0, pixels="bgr0", odd_pixels="bgr0"),
}


def encoder_options(
    codec: str, *, crf: int | None = None, preset: str = "medium", b_frames: bool = True
) -> dict[str, str]:
    """Options for FFmpeg's encoder.

    Args:
      codec: a key of `CODECS`.
      crf: quality; None takes the codec's default.
      preset: one of `PRESETS`.
      b_frames: the encoder may store frames in another order than they are shown.

    Raises:
      ValueError: the codec has no such crf.
    """
    kind = CODECS[codec]
    if kind.crf is None:
        if crf is not None:
            raise ValueError(f"{codec} is lossless and has no crf")
        return {"level": "3", "slicecrc": "1"}
    crf = kind.crf if crf is None else crf
    if not 0 <= crf <= kind.worst:
        raise ValueError(f"the crf of {codec} is from 0 to {kind.worst}, not {crf}")
    options = {"crf": str(crf)}
    speed = len(PRESETS) - 1 - PRESETS.index(preset)
    if codec == "vp9":
        # Without b=0 the bit rate decides, not the crf.
        return {**options, "b": "0", "deadline": "good", "cpu-used": str(speed), "row-mt": "1"}
    if codec == "av1":
        return {**options, "preset": str(speed + 4)}
    if codec == "hevc":
        # x265 writes its log straight to the terminal, not through FFmpeg.
        options["x265-params"] = "log-level=none" + ("" if b_frames else ":bframes=0")
    elif not b_frames:
        options["bf"] = "0"
    return {**options, "preset": preset}


@dataclass(frozen=True)
class Container:
    """A kind of file that we write.

    Attributes:
      muxer: FFmpeg's name of it.
      codecs: allowed for the picture, keys of `CODECS`; the first is the default.
      sound: FFmpeg's encoder for sound that cannot be copied.
      subtitles: FFmpeg's encoder for subtitles that cannot be copied; None: no subtitles at all.
      stores_attachments: it can hold fonts and other files.
      stores_rotation: it can tell players to turn the picture.
      stores_pixel_shape: it can say that pixels are not square, whatever the codec.
      stores_times: each frame has a timestamp; else there is one frame rate and frames are counted.
    """

    muxer: str
    codecs: tuple[str, ...]
    sound: str
    subtitles: str | None
    stores_attachments: bool = False
    stores_rotation: bool = True
    stores_pixel_shape: bool = False
    stores_times: bool = True


_MP4 = Container("mp4", ("h264", "hevc", "vp9", "av1"), "aac", "mov_text", stores_pixel_shape=True)

#: By file extension.
CONTAINERS = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": Container("mov", ("h264", "hevc"), "aac", "mov_text", stores_pixel_shape=True),
    ".mkv": Container(
        "matroska", ("h264", "hevc", "vp9", "av1", "ffv1"), "aac", "ass", stores_attachments=True
    ),
    ".webm": Container("webm", ("vp9", "av1"), "libopus", "webvtt"),
    ".avi": Container(
        "avi", ("h264", "ffv1"), "ac3", None, stores_rotation=False, stores_times=False
    ),
}

#: The endings by which videos are found in folders.
VIDEO_EXTENSIONS = (
    *CONTAINERS,
    *(".mpg", ".mpeg", ".vob", ".ts", ".mts", ".m2ts", ".3gp", ".wmv", ".flv", ".ogv"),
)
#: What a video becomes whose own container we do not write: Matroska, which can hold most streams.
FALLBACK_EXTENSION = ".mkv"


#: How bytes in tags that are not UTF-8, as old AVI files have them, become text and bytes again.
TAG_ERRORS = "surrogateescape"


def is_video(path: PathLike) -> bool:
    """Whether a file's name has a video's ending."""
    return Path(path).suffix.lower() in VIDEO_EXTENSIONS


def container_of(path: PathLike) -> Container:
    """The container that belongs to a file's ending.

    Raises:
      ValueError: we do not write videos with this ending.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in CONTAINERS:
        raise ValueError(
            f"{path}: a video cannot be written as '{suffix}'; choose one of "
            f"{', '.join(sorted(CONTAINERS))}"
        )
    return CONTAINERS[suffix]
