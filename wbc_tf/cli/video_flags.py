"""How videos are made."""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from wbc_tf.cli.command_line import UsageError, on_topic
from wbc_tf.cli.picture_flags import draw_settings, max_pixels
from wbc_tf.inference.jobs import Job
from wbc_tf.inference.settings import VideoSettings
from wbc_tf.video.formats import (
    CODECS,
    PRESETS,
    PyAVError,
    check_pyav,
    container_of,
    encoder_options,
)

_TOPIC = "Videos"


def define_video_flags(values: flags.FlagValues) -> None:
    """Flags for `video_settings`."""
    topic = on_topic(_TOPIC, values)
    flags.DEFINE_enum(
        "codec",
        "auto",
        ["auto", *CODECS],
        "How the picture of a video is compressed. auto is H.264, and VP9 in WebM files. ffv1 is "
        "lossless, for MKV and AVI files.",
        **topic,
    )
    flags.DEFINE_integer(
        "crf",
        None,
        "Quality of a video's picture; lower is better. The default is 18 with H.264, 20 with "
        "H.265, 24 with VP9 and AV1.",
        **topic,
    )
    flags.DEFINE_enum(
        "preset",
        "medium",
        list(PRESETS),
        "How much time to spend on compressing a video. The slower, the smaller the file.",
        **topic,
    )
    flags.DEFINE_float(
        "start",
        0.0,
        "Seconds to leave out at the beginning of a video.",
        lower_bound=0.0,
        **topic,
    )
    flags.DEFINE_float(
        "duration",
        None,
        "Seconds of a video to take. The default is all up to its end.",
        lower_bound=0.000001,
        **topic,
    )
    flags.DEFINE_boolean(
        "stabilize",
        False,
        "Reduce the flicker of a video: where the scene stays the same, each frame is blended with "
        "the one before.",
        **topic,
    )
    flags.DEFINE_boolean(
        "resume",
        False,
        "Make long videos in segments. If the run is broken off, the same call makes only the "
        "segments that are missing. Finished segments are kept in a hidden folder beside the "
        "output until the video is complete.",
        **topic,
    )
    flags.DEFINE_float(
        "segment_seconds",
        60.0,
        "Length of the segments that --resume makes.",
        lower_bound=0.1,
        **topic,
    )


def video_settings(values: flags.FlagValues) -> VideoSettings:
    """How to make videos, by the flags of all topics."""
    return VideoSettings(
        draw=draw_settings(values),
        codec=None if values.codec == "auto" else values.codec,
        crf=values.crf,
        preset=values.preset,
        start=values.start,
        duration=values.duration,
        stabilize=values.stabilize,
        max_pixels=max_pixels(values),
        segment_seconds=values.segment_seconds if values.resume else None,
    )


def check_videos(values: flags.FlagValues, jobs: Sequence[Job]) -> None:
    """Refuses, before anything is written, what is not possible for all these videos.

    Raises:
      UsageError: no PyAV, or a codec or quality that a container or a codec does not have.
    """
    if not jobs:
        return
    try:
        check_pyav()
        for job in jobs:
            possible = container_of(job.target).codecs
            codec = possible[0] if values.codec == "auto" else values.codec
            if codec not in possible:
                raise UsageError(
                    f"--codec={codec}: {job.target} can be {' or '.join(possible)}; choose another "
                    "codec or, for a single video, another --output"
                )
            encoder_options(codec, crf=values.crf, preset=values.preset)
    except PyAVError as error:
        raise UsageError(str(error)) from error
    except ValueError as error:
        raise UsageError(f"--crf={values.crf}: {error}") from error
