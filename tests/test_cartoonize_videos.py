"""The command, as users call it, with videos."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.video.clips import look, make, picture
from wbc_tf import cartoonize
from wbc_tf.files.pictures import read_rgb
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.video import webcam


def _files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_photos_and_videos_of_a_folder(
    call: Callable[..., Any], tiny_model: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    Image.fromarray(picture(0)).save(source / "photo.png")
    make(source / "clip.mp4", sound=[("aac", "stereo")])
    make(source / "deep" / "clip.mkv", codec="ffv1", pixels="bgr0", times=[0, 1])
    make(source / "tape.mpg", codec="mpeg2video")
    (source / "broken.mov").write_bytes(b"no video")
    (source / "notes.txt").touch()
    arguments = [f"--input={source}", f"--output={tmp_path / 'out'}", f"--model={tiny_model}"]
    arguments += ["--recursive", "--preset=ultrafast"]
    outcome = call(cartoonize, *arguments, f"--report={tmp_path / 'report'}")
    assert outcome.status == 1
    assert outcome.out.splitlines()[-1] == "4 written, 0 skipped, 1 failed"
    assert _files(tmp_path / "out") == ["clip.mp4", "deep/clip.mkv", "photo.png", "tape.mkv"]
    assert outcome.err.splitlines() == [
        f"failed: {source / 'broken.mov'}: not a video that FFmpeg can read (Invalid data found "
        "when processing input)",
        f"note: {source / 'tape.mpg'}: nothing in it states where it ends: a missing end would go "
        "unnoticed",
        f"note: {source / 'notes.txt'}: ignored, because its ending is none that is read",
    ]
    assert len((tmp_path / "report").read_text().splitlines()) == 6
    tiny = Cartoonizer.load(tiny_model)
    np.testing.assert_array_equal(
        read_rgb(tmp_path / "out" / "photo.png"), tiny(read_rgb(source / "photo.png"))
    )
    assert look(tmp_path / "out" / "clip.mp4").packets == look(source / "clip.mp4").packets

    (source / "broken.mov").unlink()
    outcome = call(cartoonize, *arguments)
    assert (outcome.status, outcome.out) == (0, "0 written, 4 skipped, 0 failed\n")


def test_flags_reach_the_video(call: Callable[..., Any], tiny_model: Path, tmp_path: Path) -> None:
    source = make(tmp_path / "a.mkv", times=range(20), codec="ffv1", pixels="bgr0")
    output = tmp_path / "b.mkv"
    outcome = call(
        cartoonize,
        f"--input={source}",
        f"--output={output}",
        f"--model={tiny_model}",
        "--codec=ffv1",
        "--short_side=24",
        "--output_size=working",
        "--start=0.2",
        "--duration=0.4",
    )
    assert outcome.status == 0, outcome.err
    seen = look(output)
    assert seen.codec == "ffv1"
    assert seen.times == [Fraction(n, 25) for n in range(10)]
    tiny = Cartoonizer.load(tiny_model)
    expected = tiny(picture(5), short_side=24, output_size="working").astype(int)
    assert seen.frames[0].shape == (24, 32, 3)
    assert np.abs(seen.frames[0] - expected).max() <= 1

    outcome = call(
        cartoonize,
        f"--input={source}",
        f"--output={tmp_path / 'c.mp4'}",
        f"--model={tiny_model}",
        "--codec=hevc",
        "--crf=40",
        "--preset=ultrafast",
        "--stabilize",
    )
    assert outcome.status == 0, outcome.err
    assert look(tmp_path / "c.mp4").codec == "hevc"


def test_a_run_that_was_broken_off_is_resumed(
    call: Callable[..., Any], tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make(tmp_path / "a.mp4", times=range(100))
    arguments = [f"--input={source}", f"--output={tmp_path / 'b.mp4'}", f"--model={tiny_model}"]
    arguments += ["--resume", "--segment_seconds=1", "--preset=ultrafast"]
    draw, frames = Cartoonizer.__call__, 0

    def interrupted(self: Cartoonizer, images: np.ndarray, **options: Any) -> np.ndarray:
        nonlocal frames
        frames += len(images)
        if frames > 60:
            os.kill(os.getpid(), signal.SIGTERM)
        return draw(self, images, **options)

    monkeypatch.setattr(Cartoonizer, "__call__", interrupted)
    outcome = call(cartoonize, *arguments)
    assert outcome.status == 128 + signal.SIGTERM
    assert len(list(tmp_path.glob(".wbc-*.segments/*.nut"))) >= 1
    monkeypatch.setattr(Cartoonizer, "__call__", draw)
    outcome = call(cartoonize, *arguments)
    assert (outcome.status, outcome.out) == (0, "1 written, 0 skipped, 0 failed\n"), outcome.err
    assert len(look(tmp_path / "b.mp4").times) == 100
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def _half(path: Path, **options: Any) -> None:
    data = make(path, times=range(100), size=(96, 128), **options).read_bytes()
    path.write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("make_bad", "message"),
    [
        (lambda path: path.write_text("text"), "not a video that FFmpeg can read"),
        (_half, "its table of contents, which comes last, is missing"),
        (lambda path: _half(path, muxer="matroska"), "cut off at "),
    ],
    ids=["text", "cut off", "cut off in its midst"],
)
def test_a_file_that_is_no_whole_video_is_status_1_and_leaves_nothing(
    call: Callable[..., Any],
    tiny_model: Path,
    tmp_path: Path,
    make_bad: Callable[[Path], object],
    message: str,
) -> None:
    source = tmp_path / "bad.mp4"
    make_bad(source)
    outcome = call(
        cartoonize,
        f"--input={source}",
        f"--output={tmp_path / 'out.mp4'}",
        f"--model={tiny_model}",
    )
    assert outcome.status == 1
    assert outcome.out == "0 written, 0 skipped, 1 failed\n"
    assert outcome.err.startswith(f"failed: {source}: ")
    assert message in outcome.err
    assert _files(tmp_path) == ["bad.mp4"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input=a.mp4", "--output=b.png"], "a video cannot be written as '.png'"),
        (["--input=a.mp4", "--output=b.mp4", "--codec=ffv1"], "b.mp4 can be h264 or hevc or vp9"),
        (["--input=a.mp4", "--output=b.avi", "--codec=hevc"], "b.avi can be h264 or ffv1"),
        (["--input=a.mp4", "--output=b.mp4", "--crf=52"], "the crf of h264 is from 0 to 51"),
        (["--input=a.mp4", "--output=b.mkv", "--codec=ffv1", "--crf=1"], "has no crf"),
        (["--input=a.mp4", "--output=b.mp4", "--preset=warp"], "preset"),
        (["--input=a.mp4", "--output=b.mp4", "--start=-1"], "start"),
        (["--input=a.mp4", "--output=b.mp4", "--duration=0"], "duration"),
        (["--input=a.mp4", "--output=a.mp4"], "would be overwritten"),
        (["--input=0", "--output=b.mp4"], "is a webcam, which is shown and not stored"),
        (["--input=0"], "a webcam needs a window, and "),
    ],
)
def test_calls_that_make_no_sense_are_status_2_and_write_nothing(
    call: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    make(tmp_path / "a.mp4")
    outcome = call(cartoonize, *arguments)
    assert outcome.status == 2
    assert message in outcome.err
    assert _files(tmp_path) == ["a.mp4"]


def test_without_pyav_videos_are_refused_and_photos_are_made(
    call: Callable[..., Any], tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "a.mp4")
    Image.fromarray(picture(0)).save(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "av", None)
    output = [f"--output={tmp_path / 'out'}", f"--model={tiny_model}"]
    outcome = call(cartoonize, f"--input={tmp_path / 'a.mp4'}", *output)
    assert outcome.status == 2
    assert "pip install '.[video]'" in outcome.err
    assert not (tmp_path / "out").exists()
    assert call(cartoonize, f"--input={tmp_path / 'a.png'}", *output).status == 0


def test_nobody_waits_for_pyav_who_has_no_videos(root: Path, tmp_path: Path) -> None:
    (tmp_path / "av.py").write_text("raise SystemExit('imported all the same')")
    done = subprocess.run(
        [sys.executable, "-c", "import wbc_tf.cartoonize, wbc_tf.inference.photos"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_told_in_a_line_and_leaves_no_half_video(
    call: Callable[..., Any],
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    source = make(tmp_path / "a.mp4", times=range(200))
    draw, calls = Cartoonizer.__call__, 0

    def interrupted(self: Cartoonizer, images: np.ndarray, **options: Any) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls == 3:
            os.kill(os.getpid(), number)
        return draw(self, images, **options)

    monkeypatch.setattr(Cartoonizer, "__call__", interrupted)
    outcome = call(
        cartoonize, f"--input={source}", f"--output={tmp_path / 'b.mp4'}", f"--model={tiny_model}"
    )
    assert outcome.status == 128 + number
    assert outcome.err == "interrupted; the same call goes on where this one stopped\n"
    assert _files(tmp_path) == ["a.mp4"]


def test_a_webcam_is_drawn_live(
    call: Callable[..., Any], tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []

    def stand_in(draw: Callable[..., np.ndarray], number: int, *, stabilize: bool) -> int:
        shown.append((draw(picture(0)), number, stabilize))
        return 1

    monkeypatch.setattr(webcam, "check_display", lambda: None)
    monkeypatch.setattr(webcam, "preview", stand_in)
    outcome = call(cartoonize, "--input=1", f"--model={tiny_model}", "--stabilize")
    assert outcome.status == 0
    ((cartoon, number, stabilize),) = shown
    assert (number, stabilize) == (1, True)
    np.testing.assert_array_equal(cartoon, Cartoonizer.load(tiny_model)(picture(0)))


def test_a_moving_gif_stays_one(call: Callable[..., Any], tiny_model: Path, tmp_path: Path) -> None:
    frames = [Image.fromarray(picture(3 * n)) for n in range(3)]
    source, target = tmp_path / "a.gif", tmp_path / "b.gif"
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=[50, 100, 70], loop=0)
    outcome = call(cartoonize, f"--input={source}", f"--output={target}", f"--model={tiny_model}")
    assert outcome.status == 0, outcome.err
    with Image.open(target) as moving:
        durations = []
        for number in range(moving.n_frames):
            moving.seek(number)
            durations.append(moving.info["duration"])
    assert durations == [50, 100, 70]
