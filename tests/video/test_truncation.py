from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from tests.video.clips import make
from wbc_tf.video.truncation import EndCheck, is_broadcast, missing_bytes, stated_end

WEBM = {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}
WITHOUT_INDEX = {**FRAGMENTS, "movflags": "frag_keyframe+empty_moov+skip_trailer"}
NOTHING_STATED = "nothing in it states where it ends: a missing end would go unnoticed"


def check(path: Path) -> tuple[str | None, str | None]:
    """The error and the note for a file."""
    with av.open(str(path)) as container:
        ending = EndCheck(path, container, container.streams.video[0])
        for packet in container.demux():
            ending.watch(packet)
        return ending.error(), ending.note()


def film(path: Path, frames: int = 25, **options: Any) -> Path:
    options.setdefault("options", {"bf": "0", "g": "10"})
    return make(path, times=range(frames), size=(120, 160), **options)


def cut(path: Path, number: int, *, before: bool = False) -> Path:
    """Cuts a file within a packet of the picture, or before it."""
    with av.open(str(path)) as container:
        packet = [p for p in container.demux(video=0) if p.size][number]
        end = packet.pos + (0 if before else packet.size // 2)
    path.write_bytes(path.read_bytes()[:end])
    return path


# Sound that is longer than the picture must not make the picture seem short.
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"sound": [("aac", "mono")]}),
        ("a.mov", {"sound": [("aac", "mono")], "sound_seconds": 4.0}),
        ("a.mp4", {"muxer_options": FRAGMENTS}),
        ("a.mkv", {"sound": [("ac3", "mono")], "sound_seconds": 4.0}),
        ("a.mkv", {"sound": [("ac3", "mono")], "sound_seconds": 40.0}),
        ("a.webm", {**WEBM, "sound": [("libopus", "mono")]}),
        ("a.avi", {"sound": [("ac3", "mono")], "sound_seconds": 4.0}),
        ("a.flv", {}),
        ("a.wmv", {"codec": "wmv2"}),
    ],
)
def test_a_whole_file_is_whole(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    assert check(film(tmp_path / name, **options)) == (None, None)


# One frame of 25 is missing, and part of another.
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"muxer_options": {"movflags": "faststart"}}),
        ("a.mp4", {"muxer_options": FRAGMENTS}),
        ("a.mkv", {"sound": [("ac3", "mono")], "sound_seconds": 1.0}),
        ("a.webm", WEBM),
        ("a.avi", {}),
    ],
)
def test_a_file_without_its_last_frames_is_cut_off(
    tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    error, _ = check(cut(film(tmp_path / name, **options), 23))
    assert str(error).startswith("cut off at ")


@pytest.mark.parametrize("name", ["a.mkv", "a.avi"])
def test_an_index_that_is_cut_off_is_noted(tmp_path: Path, name: str) -> None:
    path = film(tmp_path / name)
    path.write_bytes(path.read_bytes()[:-5])
    assert check(path) == (None, "its last 5 bytes are missing, but all frames are there")


def test_a_header_that_states_more_is_noted_where_it_is_less_exact(tmp_path: Path) -> None:
    path = film(tmp_path / "a.flv", options={"bf": "0"})
    assert check(path) == (None, None)
    assert check(cut(path, 15, before=True)) == (None, "ends 0.4 s before its header says")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"muxer_options": WITHOUT_INDEX}),
        ("a.mkv", {"muxer_options": {"live": "1"}}),
        ("a.ts", {}),
    ],
)
def test_a_file_that_states_nothing_is_noted(
    tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    assert check(film(tmp_path / name, **options)) == (None, NOTHING_STATED)


def test_a_broadcast_may_be_cut_anywhere(tmp_path: Path) -> None:
    path = cut(film(tmp_path / "a.ts", frames=100), 60)
    assert check(path)[0] is None
    with av.open(str(path)) as container:
        assert is_broadcast(container)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.flv"])
def test_the_stated_end_counts_from_the_start_of_the_clock(tmp_path: Path, name: str) -> None:
    path = make(
        tmp_path / name,
        times=range(10_000, 11_000, 40),
        time_base=Fraction(1, 1000),
        last=40,
        options={"bf": "0"},
        muxer_options={"avoid_negative_ts": "disabled"} if name == "a.mkv" else None,
    )
    with av.open(str(path)) as container:
        assert abs(stated_end(container) - 11) <= Fraction(1, 25)


@pytest.mark.parametrize("kind", ["matroska", "mov", "avi"])
def test_what_has_no_structure_states_nothing(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").write_bytes(b"")
    assert not missing_bytes(tmp_path / "a", kind)
    (tmp_path / "a").write_bytes(bytes(100))
    assert not missing_bytes(tmp_path / "a", kind)
    assert missing_bytes(tmp_path / "a", "mpegts") is None
