from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av import Packet

from tests.video.clips import make
from wbc_tf.video.decode import DecodedFrame, Decoder


def shown(
    path: Path, spoil: set[int] = frozenset(), corrupt: bytes = b"\0" * 30
) -> list[DecodedFrame]:
    """All decoded frames of a file, in which packets with the given numbers are spoilt."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = Decoder(stream)
        stream.thread_type = "NONE"  # so that FFmpeg flags the same frames each time
        result: list[DecodedFrame] = []
        for number, packet in enumerate(container.demux(stream)):
            if number in spoil:
                bad = Packet(corrupt)
                bad.pts, bad.dts, bad.time_base = packet.pts, packet.dts, packet.time_base
                packet = bad
            result += decoder.decode(packet)
    return result


def broken(frames: list[DecodedFrame]) -> int:
    return sum(frame.broken for frame in frames)


def is_frame_of(frame: av.VideoFrame, other: av.VideoFrame) -> bool:
    # Not the planes' bytes: what lies beyond the width is never written.
    return np.array_equal(frame.to_ndarray(), other.to_ndarray())


@pytest.mark.parametrize("options", [{"bf": "0"}, {"bf": "3"}])
def test_frames_are_shown_in_order(tmp_path: Path, options: dict[str, str]) -> None:
    times = [0, 1, 2, 5, 6, 9, 12]
    result = shown(make(tmp_path / "a.mkv", times=times, options=options))
    assert [frame.time for frame in result] == [40 * time for time in times]
    assert not any(frame.broken or frame.moved for frame in result)


@pytest.mark.parametrize(("codec", "spoil"), [("mpeg4", {2, 3}), ("mjpeg", {2}), ("ffv1", {5})])
def test_a_frame_that_is_lost_is_the_one_before(
    tmp_path: Path, codec: str, spoil: set[int]
) -> None:
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = make(tmp_path / "a.mkv", codec=codec, pixels=pixels, options={"g": "1"})
    whole = shown(path)
    result = shown(path, spoil)
    assert [frame.time for frame in result] == [frame.time for frame in whole]
    assert broken(result) == len(spoil)
    last = 0
    for number, frame in enumerate(result):
        last = last if number in spoil else number
        assert is_frame_of(frame.frame, whole[last].frame)


def test_if_the_first_is_lost_the_next_stands_for_it(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", codec="mjpeg", pixels="yuvj420p")
    whole = shown(path)
    result = shown(path, {0, 1})
    assert [frame.time for frame in result] == [frame.time for frame in whole]
    assert broken(result) == 2
    assert all(is_frame_of(frame.frame, whole[2].frame) for frame in result[:3])


def test_a_frame_with_holes_is_the_one_before(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", times=range(12), size=(120, 160), options={"bf": "0"})
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        at, size = packets[5].pos, packets[5].size
    data[at + size // 3 : at + size] = bytes(size - size // 3)
    path.write_bytes(data)
    result = shown(path)
    assert [frame.time for frame in result] == [40 * time for time in range(12)]
    assert broken(result) == 1
    assert is_frame_of(result[5].frame, result[4].frame)


def test_a_packet_without_a_frame_is_no_loss(tmp_path: Path) -> None:
    # VP8's hidden frames are packets of their own.
    path = make(
        tmp_path / "a.webm",
        codec="libvpx",
        times=range(40),
        options={"auto-alt-ref": "1", "lag-in-frames": "16", "b": "100000"},
    )
    with av.open(str(path)) as container:
        packets = sum(packet.size > 0 for packet in container.demux(video=0))
    result = shown(path)
    assert packets >= 40
    assert len(result) == 40
    assert broken(result) == 0


@pytest.mark.parametrize("times", [[0, 1, 2, 3, 4], [0, 1, 4, 5, 9]])
def test_h264_in_avi_is_not_late(tmp_path: Path, times: list[int]) -> None:
    path = make(
        tmp_path / "a.avi",
        times=times,
        options={"bf": "0"},
        muxer_options={"avoid_negative_ts": "disabled"},
    )
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).pts == 1, "FFmpeg's own guess"
    result = shown(path)
    assert [frame.time for frame in result] == times


def test_time_never_runs_backwards(tmp_path: Path) -> None:
    with av.open(str(make(tmp_path / "a.mkv", codec="mjpeg", pixels="yuvj420p"))) as container:
        stream = container.streams.video[0]
        decoder = Decoder(stream)
        result: list[DecodedFrame] = []
        for number, packet in enumerate(container.demux(stream)):
            if number in (3, 4):
                packet.pts = packet.dts = 0
            result += decoder.decode(packet)
    assert [frame.time for frame in result] == [0, 40, 80, 81, 82, 200]
    assert sum(frame.moved for frame in result) == 2
