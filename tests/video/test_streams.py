from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.video.clips import look, make
from wbc_tf.video.formats import container_of
from wbc_tf.video.streams import (
    ConvertedSubtitles,
    CopiedStream,
    EncodedSound,
    OtherStreams,
    StreamWriter,
    text_styles,
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make(tmp_path / "a.mkv", sound=[("ac3", "5.1")], subtitles="subrip")


def carried(writer: StreamWriter, packets: list[av.Packet]) -> list[av.Packet]:
    return [p for packet in packets for p in writer.packets(packet)] + list(writer.flush())


def test_what_is_copied_keeps_its_name_and_place(source: Path, tmp_path: Path) -> None:
    with av.open(str(source)) as old, av.open(str(tmp_path / "b.mkv"), "w") as new:
        sound = old.streams.audio[0]
        writer = CopiedStream(sound, new)
        packets = [p for p in old.demux(sound) if p.size]
        before = [(p.pts, bytes(p)) for p in packets]
        assert [(p.pts, bytes(p)) for p in carried(writer, packets)] == before
        assert new.streams[0].metadata["language"] == "fra"
        assert new.streams[0].disposition == sound.disposition
        assert (writer.lost, writer.moved) == (0, 0)


@pytest.mark.parametrize(("name", "step"), [("b.mkv", 0), ("b.mov", 1)])
def test_time_goes_on(source: Path, tmp_path: Path, name: str, step: int) -> None:
    with av.open(str(source)) as old, av.open(str(tmp_path / name), "w") as new:
        writer = CopiedStream(old.streams.audio[0], new)
        packets = [p for p in old.demux(audio=0) if p.size][:4]
        times = [p.dts for p in packets]
        packets[2].pts = packets[2].dts = times[0]
        times[2] = times[1] + step
        assert [p.dts for p in carried(writer, packets)] == times
        assert writer.moved == 1


@pytest.mark.parametrize("encoder", ["aac", "libopus"])
def test_sound_is_encoded_with_all_its_channels(source: Path, tmp_path: Path, encoder: str) -> None:
    with av.open(str(source)) as old, av.open(str(tmp_path / "b.mkv"), "w") as new:
        writer = EncodedSound(old.streams.audio[0], new, encoder)
        packets = carried(writer, [p for p in old.demux(audio=0) if p.size])
        assert sum(p.duration * p.time_base for p in packets) == pytest.approx(0.24, abs=0.06)
        out = new.streams.audio[0]
        assert (out.channels, out.rate) == (6, 48000)


def test_lines_keep_their_times(source: Path, tmp_path: Path) -> None:
    with av.open(str(source)) as old, av.open(str(tmp_path / "b.mp4"), "w") as new:
        lines = old.streams.subtitles[0]
        assert text_styles(lines).startswith(b"[Script Info]")
        writer = ConvertedSubtitles(lines, new, "mov_text")
        packets = carried(writer, [p for p in old.demux(lines) if p.size])
        times = [(p.pts * p.time_base, p.duration * p.time_base) for p in packets]
        assert times == [(Fraction(8 * n, 100), Fraction(6, 100)) for n in range(3)]


def convert(source: Path, target: Path) -> list[str]:
    """Writes all streams of one file into another, the picture unchanged; returns the notes."""
    container = container_of(target)
    with av.open(str(source)) as old, av.open(str(target), "w", format=container.muxer) as new:
        video = old.streams.video[0]
        picture = new.add_stream_from_template(video, opaque=True)
        streams = [s for s in old.streams if s.index != video.index]
        others = OtherStreams(streams, new, container)
        for packet in old.demux():
            if packet.stream is video and packet.size:
                packet.stream = picture
                new.mux(packet)
            elif packet.size:
                for carried in others.packets(packet):
                    new.mux(carried)
        for carried in others.flush():
            new.mux(carried)
        return others.notes


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
    assert convert(source, tmp_path / "b.mkv") == []
    before, after = look(source), look(tmp_path / "b.mkv")
    assert (after.packets, after.kinds) == (before.packets, before.kinds)
    with av.open(str(tmp_path / "b.mkv")) as container:
        assert container.streams.attachments[0].data == b"not quite a font"


# Each encoder with each layout (MP3 has two channels at most), each container with four encoders.
@pytest.mark.parametrize(
    ("encoder", "layout", "name"),
    [
        ("aac", "mono", "b.mp4"),
        ("aac", "5.1", "b.webm"),
        ("aac", "mono", "b.avi"),
        ("libopus", "5.1", "b.mp4"),
        ("libopus", "mono", "b.mov"),
        ("libopus", "5.1", "b.avi"),
        ("libopus", "mono", "b.webm"),
        ("libmp3lame", "mono", "b.mov"),
        ("libmp3lame", "mono", "b.avi"),
        ("libmp3lame", "mono", "b.webm"),
        ("flac", "mono", "b.mp4"),
        ("flac", "5.1", "b.mov"),
        ("flac", "mono", "b.mkv"),
        ("flac", "5.1", "b.webm"),
        ("pcm_s16le", "mono", "b.mkv"),
        ("pcm_s16le", "5.1", "b.mp4"),
        ("pcm_s16le", "5.1", "b.mov"),
        ("pcm_s16le", "mono", "b.avi"),
        ("ac3", "5.1", "b.mkv"),
        ("ac3", "5.1", "b.avi"),
        ("ac3", "mono", "b.mp4"),
    ],
)
def test_any_sound_is_copied_or_encoded_again(
    tmp_path: Path, encoder: str, name: str, layout: str
) -> None:
    codec = "libvpx-vp9" if name == "b.webm" else "mpeg4"
    source = make(tmp_path / "a.mkv", times=[0, 1], codec=codec, sound=[(encoder, layout)])
    notes = convert(source, tmp_path / name)
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
    assert convert(source, tmp_path / "b.mkv") == []
    assert look(tmp_path / "b.mkv").packets == look(source).packets
    (note,) = convert(source, tmp_path / "b.mp4")
    assert note.startswith("subtitles fra (")
    assert note.endswith("stream 1) lost: mp4 cannot store it")


@pytest.mark.parametrize(
    ("encoder", "source", "target", "text"),
    [
        ("subrip", "a.mkv", "b.mp4", b"\0\x07Zeile 0"),
        ("ass", "a.mkv", "b.mov", b"\0\x07Zeile 0"),
        ("webvtt", "a.mkv", "b.mp4", b"\0\x07Zeile 0"),
        ("mov_text", "a.mp4", "b.mkv", b"0,0,Default,,0,0,0,,{\\i1}Zeile{\\r} 0"),
    ],
)
def test_text_subtitles_are_converted(
    tmp_path: Path, encoder: str, source: str, target: str, text: bytes
) -> None:
    (note,) = convert(make(tmp_path / source, subtitles=encoder), tmp_path / target)
    assert note.startswith("subtitles ita (")
    lines = look(tmp_path / target).packets[1]
    assert lines[0][1].startswith(text)
    assert [float(time) for time, data in lines if b"Zeile" in data] == [0, 0.08, 0.16]


@pytest.mark.parametrize(
    "told",
    [
        {"stream_tags": {"timecode": "01:00:00:00"}},
        {"chapters": [(0, 100, "one"), (100, 240, "two")]},
    ],
)
def test_what_mp4_makes_anew_is_no_loss(tmp_path: Path, told: dict[str, Any]) -> None:
    source = make(tmp_path / "a.mov", **told)
    assert [kind[0] for kind in look(source).kinds] == ["video", "data"]
    for name in ("b.mkv", "b.mov"):
        assert convert(source, tmp_path / name) == []


def data_beside(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        video, data = out.add_stream("mpeg2video", rate=25), out.add_data_stream("klv")
        video.height, video.width = 48, 64
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(np.zeros((72, 64), np.uint8), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(video.encode(frame))
            packet = av.Packet(b"where the drone was")
            packet.stream, packet.time_base = data, Fraction(1, 25)
            packet.pts = packet.dts = number
            out.mux(packet)
        out.mux(video.encode(None))
    return path


@pytest.mark.parametrize("name", ["b.mkv", "b.avi"])
def test_data_is_named_when_it_is_lost(tmp_path: Path, name: str) -> None:
    (note,) = convert(data_beside(tmp_path / "a.ts"), tmp_path / name)
    muxer = container_of(name).muxer
    assert note == f"data (klv, stream 1) lost: {muxer} cannot store it"


def test_a_second_picture_is_named(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        pictures = [out.add_stream("mpeg4", rate=25) for _ in range(2)]
        for video in pictures:
            video.height, video.width = 48, 64
        for video in pictures:
            frame = av.VideoFrame.from_ndarray(np.zeros((72, 64), np.uint8), format="yuv420p")
            frame.pts = 0
            out.mux(video.encode(frame))
            out.mux(video.encode(None))
    assert convert(tmp_path / "a.mkv", tmp_path / "b.mkv") == [
        "second picture (mpeg4, stream 1) lost: only one is drawn"
    ]


def short_packets(path: Path) -> Path:
    """Sound in packets of a third of a millisecond: in Matroska's times three of them are one."""
    with av.open(str(path), "w") as out:
        video, sound = out.add_stream("mpeg4", rate=25), out.add_stream("pcm_s16le", rate=48000)
        video.height, video.width, sound.layout = 48, 64, "mono"
        frame = av.VideoFrame.from_ndarray(np.zeros((72, 64), np.uint8), format="yuv420p")
        frame.pts = 0
        out.mux(video.encode(frame))
        for number in range(30):
            levels = np.full((1, 16), number, np.int16)
            heard = av.AudioFrame.from_ndarray(levels, format="s16", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = 48000, 16 * number, Fraction(1, 48000)
            out.mux(sound.encode(heard))
        out.mux(video.encode(None))
    return path


def test_time_that_stands_still_is_kept_or_named(tmp_path: Path) -> None:
    source = short_packets(tmp_path / "a.mkv")
    assert convert(source, tmp_path / "b.mkv") == []
    assert look(tmp_path / "b.mkv").packets == look(source).packets
    (note,) = convert(source, tmp_path / "b.mov")
    assert note.endswith("packets whose time ran backwards were moved")
    sound = b"".join(data for _, data in look(tmp_path / "b.mov").packets[1])
    assert sound == b"".join(data for _, data in look(source).packets[1])


def test_broken_sound_is_left_out_and_counted(tmp_path: Path) -> None:
    source = make(tmp_path / "a.mkv", sound=[("ac3", "stereo")], sound_seconds=0.5)
    with av.open(str(source)) as container:
        packets = [p for p in container.demux(audio=0) if p.size]
        data = bytearray(source.read_bytes())
        at = data.index(bytes(packets[5]))
        data[at : at + packets[5].size] = bytes(packets[5].size)
    source.write_bytes(data)
    codec = "libvpx-vp9"
    picture = make(tmp_path / "picture.webm", codec=codec)
    with (
        av.open(str(source)) as old,
        av.open(str(picture)) as seen,
        av.open(str(tmp_path / "b.webm"), "w") as new,
    ):
        video = new.add_stream_from_template(seen.streams.video[0], opaque=True)
        others = OtherStreams(old.streams.audio, new, container_of("b.webm"))
        for packet in seen.demux(video=0):
            if packet.size:
                packet.stream = video
                new.mux(packet)
        for packet in old.demux(audio=0):
            if packet.size:
                for carried in others.packets(packet):
                    new.mux(carried)
        for carried in others.flush():
            new.mux(carried)
        assert others.notes[1:] == ["sound fra (ac3, stream 1): 1 broken packets left out"]


def test_frames_of_sound_are_counted_as_such_in_avi(tmp_path: Path) -> None:
    source = make(
        tmp_path / "a.avi",
        codec="mpeg4",
        sound=[("libmp3lame", "stereo")],
        sound_seconds=0.5,
        muxer_options={"avoid_negative_ts": "disabled"},
    )
    convert(source, tmp_path / "b.avi")
    with av.open(str(source)) as old, av.open(str(tmp_path / "b.avi")) as new:
        assert new.streams.audio[0].duration == old.streams.audio[0].duration
