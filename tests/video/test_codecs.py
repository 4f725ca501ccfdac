from __future__ import annotations

from fractions import Fraction

import av
import pytest

from wbc_tf.video.codecs import CODECS, PRESETS, encoder_options


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
    assert encoder_options("h264", reorder=False)["bf"] == "0"
    assert "bframes=0" in encoder_options("hevc", reorder=False)["x265-params"]
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
