"""Many videos: what becomes of the rest when one fails or the run is broken off."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.video.clips import look, make
from wbc_tf.inference.jobs import Job, OutputError, Tally
from wbc_tf.inference.progress import Console
from wbc_tf.inference.report import Report
from wbc_tf.inference.settings import DrawSettings, VideoSettings
from wbc_tf.inference.videos import cartoonize_videos

SETTINGS = VideoSettings(DrawSettings(short_side=0), preset="ultrafast")


def leave(rgb: np.ndarray, **_: object) -> np.ndarray:
    """Stands in for a model: it changes nothing."""
    return rgb


def test_a_broken_video_is_named_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = make(tmp_path / "whole.mkv", times=range(50))
    (tmp_path / "cut.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    (tmp_path / "empty.mp4").touch()
    names = ("cut.mkv", "empty.mp4", "whole.mkv")
    jobs = [Job(tmp_path / name, tmp_path / "out" / name) for name in names]
    with Report(tmp_path / "report") as report, Console(report) as console:
        tally = cartoonize_videos(leave, jobs, SETTINGS, listener=console)
    assert tally == Tally(written=1, skipped=0, failed=2)
    assert os.listdir(tmp_path / "out") == ["whole.mkv"], "no temporary files"
    cut, empty = capsys.readouterr().err.splitlines()
    assert re.fullmatch(rf"failed: {jobs[0].source}: cut off at [\d.]+ of 2 s\..*", cut)
    assert empty == f"failed: {jobs[1].source}: an empty file"
    entries = [json.loads(line) for line in (tmp_path / "report").read_text().splitlines()]
    assert [entry["status"] for entry in entries] == ["failed", "failed", "written"]
    assert (entries[2]["width"], entries[2]["height"], entries[2]["frames"]) == (64, 48, 50)
    assert entries[2]["seconds"] > 0

    again = cartoonize_videos(leave, jobs[2:], SETTINGS)
    assert again == Tally(written=0, skipped=1, failed=0)
    (tmp_path / "out" / "whole.mkv").write_bytes(b"old")
    assert cartoonize_videos(leave, jobs[2:], SETTINGS, overwrite=True).written == 1
    assert len(look(jobs[2].target).times) == 50


def test_a_model_that_stumbles_fails_its_video_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make(tmp_path / "a.mp4")

    def stumble(rgb: np.ndarray, **_: object) -> np.ndarray:
        raise ValueError("the model stumbled")

    jobs = [Job(source, tmp_path / "b.mp4")]
    with Console() as console:
        tally = cartoonize_videos(stumble, jobs, SETTINGS, listener=console)
    assert tally == Tally(written=0, skipped=0, failed=1)
    assert capsys.readouterr().err == (
        f"failed: {source} -> {tmp_path / 'b.mp4'}: the model stumbled\n"
    )
    assert sorted(os.listdir(tmp_path)) == ["a.mp4"]


def test_a_full_disk_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make(tmp_path / "a.mp4", times=range(50), size=(480, 640))
    real = av.open

    def full(file: str, *arguments: Any, **options: Any) -> Any:
        # A device that refuses every byte, in the file's place.
        ours = file.startswith("file:") and file.endswith(".tmp") and "w" in arguments
        return real("file:/dev/full" if ours else file, *arguments, **options)

    monkeypatch.setattr("wbc_tf.video.write.av.open", full)
    with pytest.raises(OutputError, match=r"cannot write there \(No space left on device\)"):
        cartoonize_videos(leave, [Job(source, tmp_path / "out" / "b.mp4")], SETTINGS)
    assert not (tmp_path / "out").exists()


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    source = make(tmp_path / "a.mp4", times=range(100))
    calls = 0

    def model(rgb: np.ndarray, **_: object) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return rgb

    # The first progress bar ever starts a thread that stays.
    assert cartoonize_videos(leave, [Job(source, tmp_path / "before.mp4")], SETTINGS).written
    before = set(threading.enumerate())
    # What a shell starts in the background ignores Ctrl-C, and so would this.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            cartoonize_videos(model, [Job(source, tmp_path / "out" / "b.mp4")], SETTINGS)
    finally:
        signal.signal(signal.SIGINT, inherited)
    assert not (tmp_path / "out").exists()
    assert set(threading.enumerate()) <= before
    assert cartoonize_videos(leave, [Job(source, tmp_path / "out" / "b.mp4")], SETTINGS).written


def test_segments_are_made_when_asked_for_and_finished_by_the_next_call(tmp_path: Path) -> None:
    source = make(tmp_path / "a.mp4", times=range(75))
    job = Job(source, tmp_path / "out" / "b.mp4")
    drawn = 0

    def full(rgb: np.ndarray, **_: object) -> np.ndarray:
        nonlocal drawn
        drawn += len(rgb)
        if drawn > 50:
            raise OSError(28, "No space left on device")
        return rgb

    with pytest.raises(OutputError):
        cartoonize_videos(full, [job], replace(SETTINGS, segment_seconds=1.0))
    assert not job.target.exists()
    left = 0

    def counting(rgb: np.ndarray, **_: object) -> np.ndarray:
        nonlocal left
        left += len(rgb)
        return rgb

    tally = cartoonize_videos(counting, [job], replace(SETTINGS, segment_seconds=1.0))
    assert tally == Tally(written=1)
    # The sample, and the segments that were missing.
    assert left in (1 + 25, 1 + 50)
    assert len(look(job.target).times) == 75
    assert os.listdir(tmp_path / "out") == ["b.mp4"]


def test_a_video_that_another_call_is_making_is_left_to_it(tmp_path: Path) -> None:
    job = Job(make(tmp_path / "a.mp4"), tmp_path / "out" / "b.mp4")
    others = []

    def other(rgb: np.ndarray, **_: object) -> np.ndarray:
        others.append(cartoonize_videos(leave, [job], SETTINGS))
        return rgb

    assert cartoonize_videos(other, [job], SETTINGS) == Tally(written=1)
    assert set(others) == {Tally(skipped=1)}
    assert os.listdir(tmp_path / "out") == ["b.mp4"]


@pytest.mark.parametrize("name", ["b.avi", "b.mkv", "b.mp4"])
def test_tags_in_an_old_encoding_keep_their_bytes(tmp_path: Path, name: str) -> None:
    source = make(tmp_path / "a.avi", codec="mpeg4", tags={"title": "Stra-e"})
    source.write_bytes(source.read_bytes().replace(b"Stra-e", b"Stra\xdfe"))  # Latin-1
    with Console() as console:
        cartoonize_videos(leave, [Job(source, tmp_path / name)], SETTINGS, listener=console)
    assert console.tally == Tally(written=1)
    with av.open(str(tmp_path / name), metadata_encoding="latin-1") as container:
        assert container.metadata.get("title", container.metadata.get("TITLE")) == "Straße"


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv", "b.avi"])
def test_sound_in_a_codec_that_nobody_knows_costs_only_itself(tmp_path: Path, name: str) -> None:
    source = make(tmp_path / "a.mp4", sound=[("aac", "mono")])
    # MP4 names the codec twice.
    content = source.read_bytes().replace(b"mp4a", b"zzzz").replace(b"@\x15", b"\xfe\x15")
    source.write_bytes(content)
    with Report(tmp_path / "report") as report, Console(report) as console:
        cartoonize_videos(leave, [Job(source, tmp_path / name)], SETTINGS, listener=console)
    entry = json.loads((tmp_path / "report").read_text())
    assert (entry["status"], entry["frames"]) == ("written", 6)
    lost = "sound fra (SoundHandler, stream 1) lost: "
    assert any(note.startswith(lost) for note in entry["notes"]), entry["notes"]
