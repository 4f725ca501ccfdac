from __future__ import annotations

import itertools
import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.video.clips import make
from wbc_tf.video.frames import Picture
from wbc_tf.video.read import VideoReader, VideoReadError
from wbc_tf.video.segments import LOOKBACK, Segment, plan_segments

# Open groups of pictures and B frames: frames before a key frame need the one after it.
HARD = {"g": "13", "bf": "3", "x264-params": "open-gop=1:scenecut=0"}


def pictures(path: Path) -> list[Picture]:
    with VideoReader(path) as reader:
        return [item for item in reader.items() if isinstance(item, Picture)]


def of_segment(path: Path, segment: Segment, *, lookback: bool = False) -> list[Picture]:
    with VideoReader(path) as reader:
        return list(
            reader.pictures(
                seek=segment.seek,
                first=segment.first,
                stop=segment.stop,
                lookback=segment.lookback if lookback else None,
            )
        )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"options": HARD}),
        ("a.mkv", {"options": HARD, "time_base": Fraction(1, 1000), "uneven": True}),
        ("a.mov", {"codec": "libx265", "options": {"x265-params": "log-level=none:keyint=13"}}),
        ("a.webm", {"codec": "libvpx-vp9", "options": {"g": "13", "cpu-used": "8"}}),
        ("a.ts", {"options": HARD}),
        ("a.avi", {"options": {"g": "13", "bf": "0"}}),
        ("b.avi", {"codec": "mpeg4", "options": {"g": "13"}}),
        ("a.mpg", {"codec": "mpeg2video", "options": {"g": "13", "bf": "2"}}),
    ],
)
def test_segments_hold_each_frame_once_and_unchanged(
    tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    times = list(range(80))
    if options.pop("uneven", False):
        times = [40 * time + time % 7 for time in times]
    path = make(tmp_path / name, times=times, size=(64, 96), **options)
    whole = pictures(path)
    segments = plan_segments(path, 1.0)
    assert [segment.number for segment in segments] == list(range(4))
    assert sum(segment.frames for segment in segments) == len(whole) == 80
    parts = [of_segment(path, segment) for segment in segments]
    assert [len(part) for part in parts] == [segment.frames for segment in segments]
    for before, after in zip(whole, itertools.chain(*parts)):
        assert after.time == before.time
        np.testing.assert_array_equal(after.rgb, before.rgb)
    # Frames to look back at, and a plan that can be sent to another machine.
    looked = of_segment(path, segments[2], lookback=True)
    assert [p.time for p in looked] == [p.time for p in whole[50 - LOOKBACK : 75]]
    assert pickle.loads(pickle.dumps(segments)) == segments


def test_a_part_is_divided_from_its_beginning(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mp4", times=range(80), options=HARD)
    segments = plan_segments(path, 1.0, start=0.5, duration=1.5)
    with VideoReader(path, start=0.5, duration=1.5) as reader:
        whole = [item.time for item in reader.items() if isinstance(item, Picture)]
    found = []
    for segment in segments:
        with VideoReader(path, start=0.5, duration=1.5) as reader:
            part = reader.pictures(seek=segment.seek, first=segment.first, stop=segment.stop)
            found += [picture.time for picture in part]
    assert found == whole
    assert [segment.frames for segment in segments] == [25, 12]


def test_a_file_that_cannot_be_searched_is_read_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "a.mp4", times=range(80), options=HARD)
    whole, segment = pictures(path), plan_segments(path, 1.0)[3]
    assert segment.seek is not None
    monkeypatch.setattr(VideoReader, "_seek", lambda self, time: False)
    assert [p.time for p in of_segment(path, segment)] == [p.time for p in whole[75:]]


def test_frames_without_clear_times_stay_in_one_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "a.mkv", times=range(80))
    times = [(0, True), (40, False), (40, False), (None, False)]
    monkeypatch.setattr(VideoReader, "frame_times", lambda self: times)
    assert plan_segments(path, 0.01) == [Segment(0, 0, None, 0, None, 4)]


def test_a_file_that_is_cut_off_is_not_planned(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", times=range(100), size=(120, 160))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(VideoReadError, match="cut off at"):
        plan_segments(path, 1.0)
