from __future__ import annotations

import av
import pytest

from wbc_tf.files.find import EXTENSIONS
from wbc_tf.video.codecs import CODECS
from wbc_tf.video.containers import (
    CONTAINERS,
    OTHERWISE,
    VIDEO_EXTENSIONS,
    container_of,
    is_video,
)


def test_a_file_is_a_video_by_its_name() -> None:
    assert is_video("a/b.mp4")
    assert is_video("B.MOV")
    assert is_video("tape.mts")
    assert not is_video("a.gif"), "which is a picture, and stays one"
    assert not is_video("mp4")
    assert not set(VIDEO_EXTENSIONS) & set(EXTENSIONS)


@pytest.mark.parametrize("extension", CONTAINERS)
def test_ffmpeg_writes_the_container_and_puts_its_codecs_into_it(extension: str) -> None:
    container = container_of(f"A{extension.upper()}")
    muxer = av.ContainerFormat(container.muxer, "w")
    assert muxer.is_output
    for codec in container.codecs:
        assert codec in CODECS


def test_the_usual_codecs() -> None:
    usual = {extension: container.codecs[0] for extension, container in CONTAINERS.items()}
    assert usual.pop(".webm") == "vp9"
    assert set(usual.values()) == {"h264"}
    assert OTHERWISE in CONTAINERS


def test_an_extension_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"a\.wmv: a video cannot be written as '\.wmv'.*\.mkv"):
        container_of("a.wmv")
