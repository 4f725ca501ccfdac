from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from tests.video.clips import make
from wbc_tf.video.opening import VideoReadError, is_broadcast, misnamed, open_video


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
        ("a.mp4", b"", "an empty file"),
        ("a.mkv", b"", "an empty file"),
        ("a.mp4", b"no video at all", "not a video that FFmpeg can read"),
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
    import av

    whole = make(tmp_path / "a.mkv", sound=[("flac", "stereo")])
    with av.open(str(whole)) as source, av.open(str(tmp_path / "b.mkv"), "w") as out:
        track = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = track
                out.mux(packet)
    with pytest.raises(VideoReadError, match="there is no video in it, only audio"):
        open_video(tmp_path / "b.mkv")


@pytest.mark.parametrize("name", ["with: colon.mp4", "http:.mp4", "ünïcödé 写真 😀.mp4", "%d.mp4"])
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


def test_another_kind_than_the_name_says_is_noted(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", muxer="mp4")
    container, _ = open_video(path)
    with container:
        assert misnamed(path, container) == "named like matroska, but it is QuickTime / MOV"
    right = make(tmp_path / "b.mov")
    container, _ = open_video(right)
    with container:
        assert misnamed(right, container) is None


def test_a_broadcast_is_known(tmp_path: Path) -> None:
    container, _ = open_video(make(tmp_path / "a.ts"))
    with container:
        assert is_broadcast(container)
