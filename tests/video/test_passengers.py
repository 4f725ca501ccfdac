from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.video.clips import look, make
from wbc_tf.video.containers import container_of
from wbc_tf.video.passengers import Passengers

ENCODERS = ("aac", "libopus", "libmp3lame", "flac", "pcm_s16le", "ac3")


def travel(source: Path, target: Path) -> list[str]:
    """Puts all but the picture of one file into another; returns the notes."""
    container = container_of(target)
    with av.open(str(source)) as old, av.open(str(target), "w", format=container.muxer) as new:
        # A picture, since no other test of these files has one without.
        video = old.streams.video[0]
        picture = new.add_stream_from_template(video, opaque=True)
        streams = [s for s in old.streams if s.index != video.index]
        passengers = Passengers(streams, new, container)
        for packet in old.demux():
            if packet.stream is video and packet.size:
                packet.stream = picture
                new.mux(packet)
            elif packet.size:
                for carried in passengers.packets(packet):
                    new.mux(carried)
        for carried in passengers.rest():
            new.mux(carried)
        return passengers.notes


def bitmaps(path: Path) -> Path:
    """A file with subtitles that are pictures, as Blu-rays have; what they show does not matter."""
    whole = make(path.with_name("plain.mkv"))
    with av.open(str(whole)) as old, av.open(str(path), "w") as new:
        video = new.add_stream_from_template(old.streams.video[0], opaque=True)
        lines = new.add_mux_stream("hdmv_pgs_subtitle")
        lines.metadata["language"] = "fra"
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = video
                new.mux(packet)
        line = av.Packet(b"\x80\0\0")  # the end of a picture
        line.stream, line.pts, line.dts, line.time_base = lines, 0, 0, lines.time_base
        new.mux(line)
    return path


def test_what_fits_is_copied(tmp_path: Path) -> None:
    source = make(
        tmp_path / "a.mkv",
        sound=[("ac3", "5.1"), ("flac", "stereo")],
        subtitles="subrip",
        font=b"not quite a font",
    )
    assert travel(source, tmp_path / "b.mkv") == []
    before, after = look(source), look(tmp_path / "b.mkv")
    assert (after.packets, after.kinds) == (before.packets, before.kinds)
    with av.open(str(tmp_path / "b.mkv")) as container:
        assert container.streams.attachments[0].data == b"not quite a font"


@pytest.mark.parametrize(
    ("encoder", "layout"),
    [
        *((encoder, "mono") for encoder in ENCODERS),
        *((encoder, "5.1") for encoder in ENCODERS if encoder != "libmp3lame"),  # two at most
    ],
)
@pytest.mark.parametrize("name", ["b.mp4", "b.mov", "b.mkv", "b.webm", "b.avi"])
def test_any_sound_arrives_somehow(tmp_path: Path, encoder: str, name: str, layout: str) -> None:
    codec = "libvpx-vp9" if name == "b.webm" else "mpeg4"
    source = make(tmp_path / "a.mkv", times=[0, 1], codec=codec, sound=[(encoder, layout)])
    notes = travel(source, tmp_path / name)
    with av.open(str(source)) as old, av.open(str(tmp_path / name)) as new:
        before, after = old.streams.audio[0], new.streams.audio[0]
        assert after.channels == before.channels
        assert after.metadata.get("language", "fra") == "fra"
        same = after.codec_context.name == before.codec_context.name
        assert same == (notes == [])
        sound = sum(frame.samples for frame in new.decode(after)) / after.rate
    assert sound == pytest.approx(0.24, abs=0.06)


def test_subtitles_that_are_pictures_are_named_when_they_are_lost(tmp_path: Path) -> None:
    source = bitmaps(tmp_path / "a.mkv")
    assert travel(source, tmp_path / "b.mkv") == []
    assert look(tmp_path / "b.mkv").packets == look(source).packets
    (note,) = travel(source, tmp_path / "b.mp4")
    assert note.startswith("subtitles fra (")
    assert note.endswith("stream 1) lost: mp4 cannot carry it")


@pytest.mark.parametrize(
    ("encoder", "source", "target", "text"),
    [
        ("subrip", "a.mkv", "b.mp4", b"\0\x07Zeile 0"),
        ("ass", "a.mkv", "b.mov", b"\0\x07Zeile 0"),
        ("webvtt", "a.mkv", "b.mp4", b"\0\x07Zeile 0"),
        ("mov_text", "a.mp4", "b.mkv", b"0,0,Default,,0,0,0,,{\\i1}Zeile{\\r} 0"),
    ],
)
def test_text_is_reworded(
    tmp_path: Path, encoder: str, source: str, target: str, text: bytes
) -> None:
    (note,) = travel(make(tmp_path / source, subtitles=encoder), tmp_path / target)
    assert note.startswith("subtitles ita (")
    lines = look(tmp_path / target).packets[1]
    assert lines[0][1].startswith(text)
    assert [float(time) for time, data in lines if b"Zeile" in data] == [0, 0.08, 0.16]


def test_frames_of_sound_are_counted_as_such_in_avi(tmp_path: Path) -> None:
    source = make(
        tmp_path / "a.avi",
        codec="mpeg4",
        sound=[("libmp3lame", "stereo")],
        sound_seconds=0.5,
        muxer_options={"avoid_negative_ts": "disabled"},
    )
    travel(source, tmp_path / "b.avi")
    with av.open(str(source)) as old, av.open(str(tmp_path / "b.avi")) as new:
        assert new.streams.audio[0].duration == old.streams.audio[0].duration
