from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.video.clips import make
from wbc_tf.video.ending import Ending


def missing(path: Path) -> str | None:
    with av.open(str(path)) as container:
        ending = Ending(container, container.streams.video[0])
        for packet in container.demux():
            ending.watch(packet)
        return ending.missing()


def cut(path: Path, number: int) -> Path:
    """Within a packet of the picture."""
    with av.open(str(path)) as container:
        packet = [p for p in container.demux(video=0) if p.size][number]
        end = packet.pos + packet.size // 2
    path.write_bytes(path.read_bytes()[:end])
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.avi", "a.mov", "a.ts"])
@pytest.mark.parametrize("sound_seconds", [0.5, 4.0])
def test_nothing_is_missing_of_a_whole_file(
    tmp_path: Path, name: str, sound_seconds: float
) -> None:
    codecs = {"a.webm": ("libvpx-vp9", "libopus")}.get(name, ("libx264", "ac3"))
    sound = [(codecs[1], "stereo")]
    path = make(
        tmp_path / name,
        times=range(50),
        codec=codecs[0],
        sound=sound,
        sound_seconds=sound_seconds,
        options={} if name == "a.webm" else {"bf": "0"},
    )
    assert missing(path) is None


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"movflags": "faststart"}),
        ("a.mkv", {}),
        ("a.avi", {}),
        ("a.mp4", {"movflags": "frag_keyframe+empty_moov"}),
    ],
)
@pytest.mark.parametrize("number", [40, 70])
def test_a_file_that_is_cut_off_is_seen(
    tmp_path: Path, name: str, options: dict[str, str], number: int
) -> None:
    path = make(
        tmp_path / name,
        times=range(100),
        size=(120, 160),
        options={"bf": "0", "g": "10"},
        muxer_options=options,
    )
    assert str(missing(cut(path, number))).startswith("cut off at ")


def test_a_broadcast_ends_anywhere(tmp_path: Path) -> None:
    path = make(tmp_path / "a.ts", times=range(100), size=(120, 160))
    assert missing(cut(path, 60)) is None
