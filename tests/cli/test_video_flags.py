from __future__ import annotations

from pathlib import Path

import pytest
from absl import flags

from wbc_tf.cli.command_line import UsageError
from wbc_tf.cli.picture_flags import define_picture_flags
from wbc_tf.cli.video_flags import check_videos, define_video_flags, video_settings
from wbc_tf.inference.jobs import Job
from wbc_tf.inference.settings import DrawSettings, VideoSettings


def _values(*arguments: str) -> flags.FlagValues:
    values = flags.FlagValues()
    define_picture_flags(values)
    define_video_flags(values)
    values(["command", *arguments])
    return values


def test_the_flags_become_settings() -> None:
    assert video_settings(_values()) == VideoSettings(max_pixels=200_000_000)
    values = _values("--codec=hevc", "--crf=20", "--start=1.5", "--stabilize", "--short_side=9")
    assert video_settings(values) == VideoSettings(
        draw=DrawSettings(short_side=9),
        codec="hevc",
        crf=20,
        start=1.5,
        stabilize=True,
        max_pixels=200_000_000,
    )


@pytest.mark.parametrize("argument", ["--codec=h264", "--crf=99"])
def test_what_a_container_or_codec_does_not_have_is_refused(argument: str) -> None:
    with pytest.raises(UsageError, match=argument):
        check_videos(_values(argument), [Job(Path("a.mp4"), Path("a.webm"))])
    check_videos(_values(argument), [])
