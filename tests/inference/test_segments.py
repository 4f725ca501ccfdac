from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.video.clips import look, make, picture
from wbc_tf.inference import segments
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.jobs import Job
from wbc_tf.inference.report import Entry
from wbc_tf.inference.segments import cartoonize_in_segments, make_segment, segments_folder
from wbc_tf.inference.settings import DrawSettings, VideoSettings
from wbc_tf.inference.video import cartoonize_video
from wbc_tf.video.formats import container_of
from wbc_tf.video.read import VideoReadError
from wbc_tf.video.segments import SegmentError, plan_segments

SETTINGS = VideoSettings(draw=DrawSettings(short_side=0), preset="ultrafast")
FRAMES = 150


def leave(rgb: np.ndarray, **_: object) -> np.ndarray:
    """Stands in for a model: it changes nothing."""
    return rgb


def in_seconds(settings: VideoSettings, seconds: float) -> VideoSettings:
    return replace(settings, segment_seconds=seconds)


def clock(path: Path) -> tuple[list[int], list[int | None]]:
    """The times of showing and of decoding, in ticks.

    Which frames are stored earlier than they are shown is the encoder's choice.
    """
    with av.open(str(path)) as container:
        found = [p for p in container.demux(video=0) if p.size]
    return sorted(p.pts for p in found), [p.dts for p in found]


# Each container, codec and kind of clock once; six seconds, in segments of one second.
@pytest.mark.parametrize(
    ("source", "target", "codec", "options"),
    [
        (
            "a.mp4",
            "b.mp4",
            "h264",
            {
                "times": range(0, 1001 * FRAMES, 1001),
                "time_base": Fraction(1, 30000),
                "rate": Fraction(30000, 1001),
                "last": 1001,
                "sound": [("aac", "stereo")],
                "chapters": [(0, 2500, "one"), (2500, 5000, "two")],
            },
        ),
        ("a.mp4", "b.mov", "hevc", {"sound": [("pcm_s16le", "mono")]}),
        (
            "a.mkv",
            "b.mp4",
            "h264",
            {
                "times": [40 * n + n % 5 for n in range(FRAMES)],
                "time_base": Fraction(1, 1000),
                "last": 500,
                "sound": [("ac3", "5.1"), ("flac", "stereo")],
                "subtitles": "subrip",
            },
        ),
        ("a.mkv", "b.webm", "av1", {"sound": [("aac", "stereo")], "subtitles": "ass"}),
        ("a.webm", "b.mkv", "vp9", {"codec": "libvpx-vp9", "sound": [("libopus", "mono")]}),
        ("a.mp4", "b.avi", "h264", {"sound": [("libmp3lame", "stereo")]}),
        ("a.ts", "b.mkv", "ffv1", {"sound": [("mp2", "stereo")], "options": {"g": "20"}}),
    ],
)
def test_segments_make_the_same_file_as_one_piece(
    tmp_path: Path, source: str, target: str, codec: str, options: dict[str, Any]
) -> None:
    options = {"times": range(FRAMES), "sound_seconds": 6.0, **options}
    path = make(tmp_path / source, size=(64, 96), **options)
    settings = replace(SETTINGS, codec=codec, preset="veryfast")  # which has B frames
    piece = Job(path, tmp_path / "one" / target)
    joined = Job(path, tmp_path / "many" / target)
    before = cartoonize_video(leave, piece, settings)
    after = cartoonize_in_segments(leave, joined, in_seconds(settings, 1.0))
    assert os.listdir(joined.target.parent) == [target], "the segments are gone"
    assert replace(after, target="", seconds=0) == replace(before, target="", seconds=0)
    one, many = look(piece.target), look(joined.target)
    assert clock(joined.target) == clock(piece.target)
    assert many.times == one.times
    assert many.packets == one.packets, "sound and subtitles, byte by byte"
    assert (many.kinds, many.tags, many.stream_tags) == (one.kinds, one.tags, one.stream_tags)
    assert (many.duration, many.rate, many.chapters) == (one.duration, one.rate, one.chapters)
    assert (many.time_base, many.colour, many.pixels) == (one.time_base, one.colour, one.pixels)
    for a, b in zip(many.frames, one.frames):
        if codec == "ffv1":
            np.testing.assert_array_equal(a, b)
        else:
            assert np.abs(a.astype(int) - b).mean() < 3


def test_a_part_that_is_turned_is_the_same_in_segments(tmp_path: Path, tiny_model: Path) -> None:
    tiny = Cartoonizer.load(tiny_model)
    path = make(
        tmp_path / "a.mp4",
        times=range(75),
        matrix=(0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30),
        options={"g": "10"},
    )
    settings = replace(
        SETTINGS, draw=DrawSettings(24, "working"), codec="ffv1", start=0.5, duration=1.9
    )
    piece, joined = Job(path, tmp_path / "b.mkv"), Job(path, tmp_path / "c.mkv")
    cartoonize_video(tiny, piece, settings)
    cartoonize_in_segments(tiny, joined, in_seconds(settings, 0.7))
    one, many = look(piece.target), look(joined.target)
    assert len(one.times) == 47
    assert (many.times, many.matrix) == (one.times, one.matrix)
    for a, b in zip(many.frames, one.frames):
        np.testing.assert_array_equal(a, b)


def noisy(path: Path) -> Path:
    """A camera at rest whose sensor is noisy."""
    random = np.random.default_rng(0)
    scene = picture(0, 96, 128).astype(float)
    frames = [
        av.VideoFrame.from_ndarray(
            np.clip(scene + random.normal(0, 4, scene.shape), 0, 255).astype(np.uint8), "rgb24"
        ).reformat(format="bgr0")
        for _ in range(60)
    ]
    return make(path, times=range(60), frames=frames, codec="ffv1", pixels="bgr0", size=(96, 128))


def test_stabilizing_shows_no_seam(tmp_path: Path) -> None:
    path = noisy(tmp_path / "a.mkv")
    settings = replace(SETTINGS, codec="ffv1", stabilize=True)
    piece, joined = Job(path, tmp_path / "b.mkv"), Job(path, tmp_path / "c.mkv")
    cartoonize_video(leave, piece, settings)
    cartoonize_in_segments(leave, joined, in_seconds(settings, 0.8))
    one, many = (np.stack(look(job.target).frames).astype(int) for job in (piece, joined))
    # The share of frames before the lookback is 1%, and each frame is rounded.
    assert np.abs(many - one).max() <= 2
    steps = [np.abs(np.diff(shown, axis=0)).mean((1, 2, 3)) for shown in (one, many)]
    for boundary in (20, 40):
        assert steps[1][boundary - 1] == pytest.approx(steps[0][boundary - 1], rel=0.1)
    # Without looking back, the first frame of a segment would be as noisy as the film.
    plain = np.abs(np.diff(np.stack(look(path).frames).astype(int), axis=0)).mean()
    assert steps[1][19] < plain / 2


@pytest.fixture
def film(tmp_path: Path) -> Job:
    source = make(tmp_path / "a.mp4", times=range(FRAMES), sound=[("aac", "mono")])
    return Job(source, tmp_path / "out" / "b.mp4")


def broken_off(job: Job, settings: VideoSettings = SETTINGS, *, after: int) -> None:
    drawn = 0

    def model(rgb: np.ndarray, **_: object) -> np.ndarray:
        nonlocal drawn
        if rgb.shape[1] == 48:  # not the sample
            drawn += len(rgb)
        if drawn > after:
            raise KeyboardInterrupt
        return rgb

    with pytest.raises(KeyboardInterrupt):
        cartoonize_in_segments(model, job, in_seconds(settings, 1.0))


def made_again(
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
    settings: VideoSettings = SETTINGS,
    model: Callable[..., np.ndarray] = leave,
) -> tuple[list[int], Entry]:
    made = []

    def make_one(*arguments: Any) -> Any:
        made.append(arguments[2].number)
        return make_segment(*arguments)

    monkeypatch.setattr(segments, "make_segment", make_one)
    return made, cartoonize_in_segments(model, job, in_seconds(settings, 1.0))


def test_only_missing_segments_are_made_again(
    film: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_off(film, after=90)
    folder = segments_folder(film.target)
    assert not film.target.exists()
    finished = sorted(path.name for path in folder.glob("*.json") if path.name != "plan.json")
    assert finished == ["00000.json", "00001.json", "00002.json"]
    assert not list(folder.glob("*.tmp")), "nothing is half written"
    made, entry = made_again(film, monkeypatch)
    assert made == [3, 4, 5]
    assert entry.frames == FRAMES
    assert entry.notes == ()
    assert os.listdir(film.target.parent) == ["b.mp4"]
    whole = Job(film.source, tmp_path / "whole.mp4")
    cartoonize_video(leave, whole, SETTINGS)
    assert clock(film.target) == clock(whole.target)
    assert look(film.target).packets == look(whole.target).packets


def darker(rgb: np.ndarray, **_: object) -> np.ndarray:
    return rgb // 2


@pytest.mark.parametrize(
    ("settings", "model"), [(replace(SETTINGS, crf=40), leave), (SETTINGS, darker)]
)
def test_segments_of_another_call_are_not_mixed_in(
    film: Job,
    monkeypatch: pytest.MonkeyPatch,
    settings: VideoSettings,
    model: Callable[..., np.ndarray],
) -> None:
    broken_off(film, after=90)
    made, entry = made_again(film, monkeypatch, settings, model)
    assert made == [0, 1, 2, 3, 4, 5]
    assert entry.notes == (
        "segments of an earlier call had another model or other settings: made again",
    )


def test_a_short_video_is_made_in_one_piece(tmp_path: Path) -> None:
    job = Job(make(tmp_path / "a.mp4"), tmp_path / "b.mp4")
    assert cartoonize_in_segments(leave, job, SETTINGS).frames == 6
    assert sorted(os.listdir(tmp_path)) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("stabilize", [False, True])
def test_broken_frames_are_counted_once(tmp_path: Path, stabilize: bool) -> None:
    path = make(
        tmp_path / "a.mkv", times=range(FRAMES), size=(120, 160), codec="mjpeg", pixels="yuvj420p"
    )
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        found = [p for p in container.demux(video=0) if p.size]
        for number in (70, 75):  # the second is a segment's first, which looks back at the other
            at = data.index(bytes(found[number]))
            data[at : at + found[number].size] = bytes(found[number].size)
    path.write_bytes(data)
    job = Job(path, tmp_path / "b.mkv")
    settings = replace(SETTINGS, segment_seconds=1.0, stabilize=stabilize)
    entry = cartoonize_in_segments(leave, job, settings)
    assert entry.frames == FRAMES
    assert "2 broken frames: the one before each is repeated" in entry.notes


def test_a_segment_of_another_encoder_is_named(film: Job) -> None:
    broken_off(film, after=90)
    folder = segments_folder(film.target)
    segment = plan_segments(film.source, 1.0)[1]
    other = replace(SETTINGS, preset="slow")
    make_segment(leave, film.source, segment, other, container_of("b.mp4"), folder / "00001.nut")
    with pytest.raises(SegmentError, match=r"00001\.nut: it was made by another version"):
        cartoonize_in_segments(leave, film, in_seconds(SETTINGS, 1.0))
    assert not film.target.exists()


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").symlink_to("nowhere")
    with pytest.raises(VideoReadError, match=r"a\.mp4: a link to nothing"):
        cartoonize_in_segments(leave, Job(tmp_path / "a.mp4", tmp_path / "b.mp4"), SETTINGS)


def test_too_many_pixels_are_refused(film: Job) -> None:
    with pytest.raises(VideoReadError, match=r"a\.mp4: frames of 64 x 48 are too many"):
        cartoonize_in_segments(leave, film, replace(SETTINGS, max_pixels=3000))
    assert not film.target.parent.exists()


def test_progress_counts_what_was_finished_before(film: Job) -> None:
    broken_off(film, after=90)
    seen: list[tuple[int, int | None]] = []
    cartoonize_in_segments(
        leave, film, in_seconds(SETTINGS, 1.0), lambda *counts: seen.append(counts)
    )
    assert seen[0] == (25, FRAMES)
    assert seen[-1] == (FRAMES, FRAMES)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
