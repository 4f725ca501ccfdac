from __future__ import annotations

import sys
from fractions import Fraction

import av
import pytest

from wbc_tf.files.find import EXTENSIONS
from wbc_tf.video.formats import (
    CODECS,
    CONTAINERS,
    FALLBACK_EXTENSION,
    PRESETS,
    VIDEO_EXTENSIONS,
    PyAVError,
    check_pyav,
    container_of,
    encoder_options,
    is_video,
)


def test_without_it_people_are_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(PyAVError, match=r"videos need PyAV .*pip install '\.\[video\]'"):
        check_pyav()


def test_a_pyav_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    check_pyav()
    monkeypatch.setattr(av, "__version__", "17.0.1")
    with pytest.raises(PyAVError, match=r"PyAV 17\.1.*here is 17\.0\.1"):
        check_pyav()


@pytest.mark.parametrize("codec", CODECS)
def test_ffmpeg_has_the_encoder_and_knows_its_options(codec: str) -> None:
    encoder = av.CodecContext.create(CODECS[codec].encoder, "w")
    encoder.height, encoder.width, encoder.time_base = 64, 64, Fraction(1, 25)
    encoder.pix_fmt = CODECS[codec].pixels
    encoder.options = encoder_options(codec)
    encoder.open()
    # What it took is no longer there.
    assert encoder.options == {}


def test_defaults() -> None:
    assert encoder_options("h264") == {"crf": "18", "preset": "medium"}
    assert encoder_options("hevc")["crf"] == "20"
    assert encoder_options("vp9")["crf"] == "24"
    assert encoder_options("vp9")["b"] == "0", "else the bit rate rules"


def test_every_preset_is_a_speed_of_its_own() -> None:
    for codec, option in (("h264", "preset"), ("vp9", "cpu-used"), ("av1", "preset")):
        speeds = [encoder_options(codec, preset=preset)[option] for preset in PRESETS]
        assert len(set(speeds)) == len(PRESETS)
    assert encoder_options("vp9", preset="ultrafast")["cpu-used"] == "8"
    assert encoder_options("vp9", preset="veryslow")["cpu-used"] == "0"
    assert encoder_options("av1", preset="medium")["preset"] == "7"


def test_frames_may_be_kept_in_order() -> None:
    assert encoder_options("h264", b_frames=False)["bf"] == "0"
    assert "bframes=0" in encoder_options("hevc", b_frames=False)["x265-params"]
    assert "bf" not in encoder_options("h264")


@pytest.mark.parametrize(
    ("codec", "crf", "message"),
    [
        ("h264", 52, "the crf of h264 is from 0 to 51, not 52"),
        ("vp9", -1, "the crf of vp9 is from 0 to 63, not -1"),
        ("ffv1", 18, "ffv1 is lossless and has no crf"),
    ],
)
def test_a_quality_that_is_none_is_refused(codec: str, crf: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encoder_options(codec, crf=crf)


def test_a_file_is_a_video_by_its_name() -> None:
    assert is_video("a/b.mp4")
    assert is_video("B.MOV")
    assert is_video("tape.mts")
    assert not is_video("a.gif"), "which is a picture, and stays one"
    assert not is_video("mp4")
    assert not set(VIDEO_EXTENSIONS) & set(EXTENSIONS)


def test_the_usual_codecs() -> None:
    usual = {extension: container.codecs[0] for extension, container in CONTAINERS.items()}
    assert container_of("A.WEBM") is CONTAINERS[".webm"]
    assert usual.pop(".webm") == "vp9"
    assert set(usual.values()) == {"h264"}
    assert FALLBACK_EXTENSION in CONTAINERS


def test_an_extension_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"a\.wmv: a video cannot be written as '\.wmv'.*\.mkv"):
        container_of("a.wmv")
