from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av import Packet
from PIL import Image

from tests.video.clips import MATRICES, make, picture, psnr
from wbc_tf.video.colour import Colour
from wbc_tf.video.frames import Picture
from wbc_tf.video.read import (
    TimeRange,
    VideoReader,
    VideoReadError,
    misnamed,
    open_video,
)
from wbc_tf.video.truncation import is_broadcast


def pictures(video: VideoReader) -> list[Picture]:
    return [item for item in video.items() if isinstance(item, Picture)]


def test_what_a_clip_says_of_itself(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.mp4",
        times=range(0, 10010, 1001),
        time_base=Fraction(1, 30000),
        rate=Fraction(30000, 1001),
        last=1001,
        matrix=MATRICES[6],
        shape=Fraction(4, 3),
        colour=(1, 1, 1, 1),
        tags={"title": "x"},
        chapters=[(0, 300, "one")],
        sound=[("aac", "stereo")],
    )
    with VideoReader(path) as video:
        properties = video.properties
        assert (properties.time_base, properties.rate, properties.steady) == (
            Fraction(1, 30000),
            Fraction(30000, 1001),
            True,
        )
        assert (properties.pixel_shape, properties.matrix) == (Fraction(4, 3), MATRICES[6])
        assert properties.colour == Colour(1, 1, 1, 1)
        assert properties.metadata == {"title": "x"}, "and nothing of who wrote it"
        assert [chapter["metadata"]["title"] for chapter in properties.chapters] == ["one"]
        assert (video.height, video.width, video.frames) == (64, 48, 10)
        assert video.notes == []
        items = list(video.items())
        others = {item.stream.type for item in items if isinstance(item, Packet)}
    assert others == {"audio"}
    shown = [item for item in items if isinstance(item, Picture)]
    assert [item.time for item in shown] == list(range(0, 10010, 1001))
    assert all(item.rgb.shape == (64, 48, 3) for item in shown)
    upright = np.rot90(picture(3), k=-1)
    assert psnr(shown[3].rgb, upright) > 34


def test_an_uneven_clip_is_no_steady_one(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mp4", times=[0, 100, 1000], time_base=Fraction(1, 1000), last=40)
    with VideoReader(path) as video:
        assert not video.properties.steady


def test_a_broadcast_begins_at_zero(tmp_path: Path) -> None:
    path = make(tmp_path / "a.ts", sound=[("aac", "stereo")], muxer_options={"muxdelay": "5"})
    with VideoReader(path) as video:
        assert is_broadcast(video.container)
        assert video.container.start_time > 0
        first = min(
            item.time * video.properties.time_base
            if isinstance(item, Picture)
            else item.pts * item.time_base
            for item in video.items()
        )
    assert 0 <= first < Fraction(1, 20)


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.avi"])
def test_a_part(tmp_path: Path, name: str) -> None:
    options = {"g": "7", "bf": "0"}
    whole = make(tmp_path / name, times=range(50), options=options)
    with VideoReader(whole) as video:
        everything = pictures(video)
    with VideoReader(whole, start=0.5, duration=1.0) as video:
        assert video.frames == 25
        part = pictures(video)
    # 0.5 s lies between frames 12 and 13.
    assert len(part) == 25
    np.testing.assert_array_equal(part[0].rgb, everything[13].rgb)
    # The start is moved to the nearest tick, and AVI's are as long as a frame.
    tick = video.properties.time_base
    assert abs(part[0].time * tick - Fraction(2, 100)) <= tick / 2
    assert np.ptp(np.diff([item.time for item in part])) <= 1


def test_a_part_past_the_end_is_none(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv")
    with pytest.raises(VideoReadError, match=r"a\.mkv: there is no frame .* from 100 s on"):
        VideoReader(path, start=100)


def test_a_cut_off_file_is_read_as_far_as_asked_for(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", times=range(100), size=(120, 160), options={"g": "10"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with (
        VideoReader(path) as video,
        pytest.raises(VideoReadError, match=r"cut off .* with --duration"),
    ):
        pictures(video)
    with VideoReader(path, duration=0.4) as video:
        assert len(pictures(video)) == 10


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mp4")
    with pytest.raises(VideoReadError, match=r"frames of 64 x 48 .* limit is 0\.003 million"):
        VideoReader(path, max_pixels=3000)
    VideoReader(path, max_pixels=64 * 48).container.close()


def test_broken_frames_are_counted(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", times=range(30), size=(120, 160), options={"g": "5"})
    data = bytearray(path.read_bytes())
    for share in (0.4, 0.7):
        at = int(len(data) * share)
        data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    with VideoReader(path) as video:
        shown = pictures(video)
        assert len(shown) == 30
        assert any("broken frames: the one before each is repeated" in n for n in video.notes)


def test_the_picture_is_found_beside_a_cover(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "cover.png")
    path = make(
        tmp_path / "a.mp4", sound=[("aac", "stereo")], cover=(tmp_path / "cover.png").read_bytes()
    )
    container, video = open_video(path)
    with container:
        assert (video.type, video.name) == ("video", "h264")
        assert not is_broadcast(container)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.mkv", b"", "an empty file"),
        ("a.avi", bytes(5000), "not a video that FFmpeg can read"),
        ("a.mov", b"<!DOCTYPE html><title>404</title>", "not a video that FFmpeg can read"),
        ("a.mp4", b"\0\0\0\x20ftypisom" + bytes(2000), "its table of contents.* is missing"),
    ],
)
def test_what_is_no_video_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoReadError, match=rf"{name}: .*{message}"):
        open_video(tmp_path / name)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "link.mp4").symlink_to("nowhere.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    for name, reason in (
        ("folder.mp4", "a folder, not a file"),
        ("link.mp4", "a link to nothing"),
        ("pipe.mp4", "a pipe or device, not a file"),
        ("none.mp4", "there is no such file"),
    ):
        with pytest.raises(VideoReadError, match=rf"{name}: {reason}"):
            open_video(tmp_path / name)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    whole = make(tmp_path / "a.mkv", sound=[("flac", "stereo")])
    with av.open(str(whole)) as source, av.open(str(tmp_path / "b.mkv"), "w") as out:
        track = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = track
                out.mux(packet)
    with pytest.raises(VideoReadError, match=r"there is no video in it, only sound$"):
        open_video(tmp_path / "b.mkv")


@pytest.mark.parametrize("name", ["http:.mp4", "ünïcödé 写真 😀.mp4", "%d.mp4"])
def test_names_are_taken_literally(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    make(tmp_path / "a.mp4").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    open_video(Path(name))[0].close()


def test_a_playlist_cannot_make_us_fetch_anything(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n")
    with pytest.raises(VideoReadError):
        open_video(tmp_path / "a.mp4")


def test_text_that_is_named_like_a_video_opens_no_other_file(tmp_path: Path) -> None:
    make(tmp_path / "private.mkv")
    (tmp_path / "a.mp4").write_text("ffconcat version 1.0\nfile private.mkv\n")
    with pytest.raises(VideoReadError, match=r"a\.mp4: not in a container format that is read"):
        open_video(tmp_path / "a.mp4")


def test_a_file_that_starts_late_is_whole(tmp_path: Path) -> None:
    times = range(10_000, 11_000, 40)
    options = {"avoid_negative_ts": "disabled"}
    path = make(
        tmp_path / "a.mkv",
        times=times,
        time_base=Fraction(1, 1000),
        last=40,
        muxer_options=options,
    )
    with VideoReader(path) as video:
        assert [shown.time for shown in pictures(video)] == list(times)
        assert video.notes == []


def test_a_file_without_streams_is_said_to_be_empty(tmp_path: Path) -> None:
    boxes = b"\0\0\0\x10ftypisom\0\0\0\0", b"\0\0\0\x74moov\0\0\0\x6cmvhd", bytes(100)
    (tmp_path / "a.mp4").write_bytes(b"".join(boxes))
    with pytest.raises(VideoReadError, match="there is no video in it: it is empty"):
        open_video(tmp_path / "a.mp4")


def test_another_kind_than_the_name_says_is_noted(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", muxer="mp4")
    container, _ = open_video(path)
    with container:
        assert misnamed(path, container) == "named like matroska, but it is QuickTime / MOV"
    right = make(tmp_path / "b.mov")
    container, _ = open_video(right)
    with container:
        assert misnamed(right, container) is None


MS = Fraction(1, 1000)
PART = TimeRange(Fraction(1, 2), Fraction(2), from_the_start=False)


@pytest.mark.parametrize(
    ("ticks", "expected"), [(499, None), (500, 0), (1234, 734), (1999, 1499), (2000, None)]
)
def test_times_are_counted_from_the_start(ticks: int, expected: int | None) -> None:
    assert PART.time(ticks, MS) == expected


def test_other_ticks_are_rounded_once() -> None:
    ntsc = Fraction(1001, 30000)  # the start is at tick 14.98
    assert [PART.time(ticks, ntsc) for ticks in (14, 15, 16)] == [None, 0, 1]


def test_from_the_start_nothing_is_left_out_and_nothing_moves() -> None:
    assert TimeRange().time(-1024, Fraction(1, 48000)) == -1024
    assert not TimeRange().is_over(10**9, MS)
    # A broadcast begins anywhere.
    assert TimeRange(Fraction(10)).time(9990, MS) == -10


@pytest.fixture
def subtitles(tmp_path: Path) -> Iterator[list[av.Packet]]:
    # Lines of 60 ms at 0, 80 and 160 ms.
    with av.open(str(make(tmp_path / "a.mkv", subtitles="subrip"))) as container:
        # A packet's stream is only there as long as its file is open.
        yield [p for p in container.demux(subtitles=0) if p.size]


def test_a_subtitle_that_began_before_is_shown_from_the_beginning(
    subtitles: list[av.Packet],
) -> None:
    part = TimeRange(Fraction(100, 1000), None, from_the_start=False)
    assert [part.take(packet) for packet in subtitles] == [False, True, True]
    assert [(p.pts, p.duration) for p in subtitles[1:]] == [(0, 40), (60, 60)]


def test_packets_past_the_end_are_left_out(subtitles: list[av.Packet]) -> None:
    part = TimeRange(Fraction(0), Fraction(160, 1000))
    assert [part.take(packet) for packet in subtitles] == [True, True, False]
    assert [(p.pts, p.dts, p.duration) for p in subtitles[:2]] == [(0, 0, 60), (80, 80, 60)]


def test_a_cover_has_no_time(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mp4", cover=b"\x89PNG...")
    with av.open(str(path)) as container:
        cover = next(p for p in container.demux() if p.stream.index == 1)
        assert PART.take(cover)


def test_chapters_are_cut() -> None:
    chapters = [
        {"id": n, "start": start, "end": end, "time_base": MS, "metadata": {"title": str(n)}}
        for n, (start, end) in enumerate([(0, 500), (400, 900), (900, 3000), (3000, 4000)])
    ]
    kept = PART.chapters(chapters)
    assert [(c["id"], c["start"], c["end"]) for c in kept] == [(1, 0, 400), (2, 400, 1500)]
    assert TimeRange().chapters(chapters) == tuple(chapters)


def test_what_is_odd_about_a_file_is_noted(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", muxer="mp4")
    with VideoReader(path) as video:
        pictures(video)
        video.moved = 2
        assert video.notes == [
            "named like matroska, but it is QuickTime / MOV",
            "2 frames whose time ran backwards were moved",
        ]
