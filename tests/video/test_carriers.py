from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.video.clips import make
from wbc_tf.video.carriers import Carrier, Copied, Recoded, Reworded, styles


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make(tmp_path / "a.mkv", sound=[("ac3", "5.1")], subtitles="subrip")


def carried(carrier: Carrier, packets: list[av.Packet]) -> list[av.Packet]:
    return [p for packet in packets for p in carrier.packets(packet)] + list(carrier.rest())


def test_what_is_copied_keeps_its_name_and_place(source: Path, tmp_path: Path) -> None:
    with av.open(str(source)) as old, av.open(str(tmp_path / "b.mkv"), "w") as new:
        sound = old.streams.audio[0]
        carrier = Copied(sound, new)
        packets = [p for p in old.demux(sound) if p.size]
        before = [(p.pts, bytes(p)) for p in packets]
        assert [(p.pts, bytes(p)) for p in carried(carrier, packets)] == before
        assert new.streams[0].metadata["language"] == "fra"
        assert new.streams[0].disposition == sound.disposition
        assert (carrier.lost, carrier.moved) == (0, 0)


@pytest.mark.parametrize(("name", "step"), [("b.mkv", 0), ("b.mov", 1)])
def test_time_goes_on(source: Path, tmp_path: Path, name: str, step: int) -> None:
    with av.open(str(source)) as old, av.open(str(tmp_path / name), "w") as new:
        carrier = Copied(old.streams.audio[0], new)
        packets = [p for p in old.demux(audio=0) if p.size][:4]
        times = [p.dts for p in packets]
        packets[2].pts = packets[2].dts = times[0]
        times[2] = times[1] + step
        assert [p.dts for p in carried(carrier, packets)] == times
        assert carrier.moved == 1


@pytest.mark.parametrize(("encoder", "channels"), [("aac", 6), ("libopus", 6), ("ac3", 6)])
def test_sound_is_encoded_with_all_its_channels(
    source: Path, tmp_path: Path, encoder: str, channels: int
) -> None:
    with av.open(str(source)) as old, av.open(str(tmp_path / "b.mkv"), "w") as new:
        carrier = Recoded(old.streams.audio[0], new, encoder)
        packets = carried(carrier, [p for p in old.demux(audio=0) if p.size])
        assert sum(p.duration * p.time_base for p in packets) == pytest.approx(0.24, abs=0.06)
        out = new.streams.audio[0]
        assert (out.channels, out.rate) == (channels, 48000)


def test_lines_keep_their_times(source: Path, tmp_path: Path) -> None:
    with av.open(str(source)) as old, av.open(str(tmp_path / "b.mp4"), "w") as new:
        lines = old.streams.subtitles[0]
        assert styles(lines).startswith(b"[Script Info]")
        carrier = Reworded(lines, new, "mov_text")
        packets = carried(carrier, [p for p in old.demux(lines) if p.size])
        times = [(p.pts * p.time_base, p.duration * p.time_base) for p in packets]
        assert times == [(Fraction(8 * n, 100), Fraction(6, 100)) for n in range(3)]
