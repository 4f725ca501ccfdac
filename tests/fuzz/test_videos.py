"""Videos with any damage: made as far as they can be read, or refused with a reason."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from tests.fuzz.damage import EDITS, Edit, damaged, fuzz
from tests.fuzz.recorder import Recorder
from tests.video.clips import MATRICES, make
from wbc_tf.inference.jobs import Job
from wbc_tf.inference.report import Entry
from wbc_tf.inference.settings import DrawSettings, VideoSettings
from wbc_tf.inference.videos import cartoonize_videos
from wbc_tf.video.frames import Picture
from wbc_tf.video.read import VideoReader

SETTINGS = VideoSettings(DrawSettings(short_side=0), preset="ultrafast", max_pixels=100_000)


SMALL = {"size": (32, 48), "options": {"g": "3", "preset": "ultrafast"}}
SOUND = {"sound": [("aac", "mono")]}
CLIPS: dict[str, dict[str, Any]] = {
    "a.mp4": {**SMALL, **SOUND, "chapters": [(0, 100, "one")], "matrix": MATRICES[6]},
    "b.mp4": {**SMALL, "muxer_options": {"movflags": "frag_keyframe+empty_moov"}},
    "c.mkv": {**SMALL, **SOUND, "subtitles": "ass", "font": b"font", "tags": {"title": "t"}},
    "d.mkv": {"size": (32, 48), "codec": "ffv1"},
    "e.avi": {"size": (32, 48), "codec": "mpeg4", "sound": [("ac3", "stereo")]},
    "f.ts": {**SMALL, **SOUND},
    "g.mov": {"size": (32, 48), "codec": "mjpeg", "pixels": "yuvj420p"},
}


@functools.cache
def seed(name: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="wbc-fuzz-") as folder:
        return make(Path(folder, name), **CLIPS[name]).read_bytes()


def unchanged(rgb: np.ndarray, **_: object) -> np.ndarray:
    """Stands in for a model."""
    return rgb


def attack(content: bytes, name: str) -> Entry:
    """Has a video drawn; returns what became of it, and checks that it is true."""
    with tempfile.TemporaryDirectory(prefix="wbc-fuzz-") as folder:
        source, target = Path(folder, name), Path(folder, "out", name).with_suffix(".mkv")
        source.write_bytes(content)
        listener = Recorder()
        cartoonize_videos(unchanged, [Job(source, target)], SETTINGS, listener=listener)
        (entry,) = listener.entries
        left = [path for path in Path(folder).rglob("*") if path.is_file() and path != source]
        if entry.status == "failed":
            assert left == []
            assert entry.error is not None
            assert str(source) in entry.error
            return entry
        assert (entry.status, left) == ("written", [target])
        with VideoReader(target) as reader:
            frames = sum(isinstance(item, Picture) for item in reader.items())
            assert (frames, reader.width, reader.height) == (
                entry.frames,
                entry.width,
                entry.height,
            )
        return entry


@fuzz(25)
# A stream of a type that FFmpeg does not know.
@example(name="e.avi", edits=[(0.26203579733906035, 4, b"\x9b")])
# Sound whose header states no channels.
@example(name="c.mkv", edits=[(492, 4, b"\0\0\0\0")])
# A packet of sound that claims to be played after 23 s.
@example(name="f.ts", edits=[(0.44128182611849787, 4, b"\x7f\xff\xff\xff")])
@given(name=st.sampled_from(sorted(CLIPS)), edits=EDITS)
def test_any_damage(name: str, edits: list[Edit]) -> None:
    entry = attack(damaged(seed(name), edits), name)
    if not edits:
        assert entry.status == "written"
    event(entry.status)


@pytest.mark.parametrize("name", sorted(CLIPS))
def test_every_clip_is_read_before_it_is_damaged(name: str) -> None:
    assert attack(seed(name), name).frames == 6


def test_a_packet_of_sound_that_the_muxer_refuses_does_not_cost_the_video() -> None:
    edits: list[Edit] = [
        (48, 2, b"\x7f\xff\xff\xff"),
        (0.048356442785018286, 4, b"\0\0\0\0"),
        (0.6088119079878436, 59, b""),
    ]
    entry = attack(damaged(seed("f.ts"), edits), "f.ts")
    assert (entry.status, entry.frames) == ("written", 6)
    assert any("1 broken packets left out" in note for note in entry.notes)
