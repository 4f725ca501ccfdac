from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wbc_tf.inference import progress
from wbc_tf.inference.jobs import Tally
from wbc_tf.inference.progress import Console, Silence
from wbc_tf.inference.report import Entry, Report


@pytest.fixture(autouse=True)
def as_for_users(no_lines_of_progress: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of progress come here, and by a clock of the test's own."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 30.0)


def _entry(name: str, status: str = "written", **fields: object) -> Entry:
    return Entry(name, f"out/{name}", status, **fields)


def test_failures_are_told_at_once_and_notes_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Console() as console:
        console.begun(4)
        console.done(_entry("a.png", notes=("lost one", "lost two")))
        console.done(_entry("c.png", "failed", notes=("unheard",), error="c.png: why"))
        assert capsys.readouterr().err == "failed: c.png: why\n"
        console.done(_entry("d.png", "skipped"))
        console.done(_entry("e.png", notes=("lost one",)))
    assert capsys.readouterr().err.splitlines() == [
        "note: a.png and 1 more: lost one",
        "note: a.png: lost two",
    ]


def test_where_there_is_no_terminal_a_line_comes_every_thirty_seconds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = 0.0
    with Console(clock=lambda: now) as console:
        console.begun(10)
        console.done(_entry("0.png", "skipped"))
        for number in range(1, 7):
            now += 10
            console.done(_entry(f"{number}.png"))
        now += 40
        console.frames("clip.mp4", 5, 20)
    assert capsys.readouterr().err.splitlines() == [
        "3 written, 1 skipped, 0 failed of 10; 6 a minute, about 01:00 left",
        "6 written, 1 skipped, 0 failed of 10; 6 a minute, about 00:30 left",
        "clip.mp4: 5 of 20 frames; "
        "6 written, 1 skipped, 0 failed of 10; 3.6 a minute, about 00:50 left",
    ]


def test_a_terminal_gets_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Console() as console:
        console.begun(2)
        console.frames("clip.mp4", 1, 8)
        console.done(_entry("clip.mp4"))
        console.done(_entry("b.png"))
    shown = capsys.readouterr().err
    assert "clip.mp4" in shown
    assert "2/2" in shown


def test_without_a_total_there_is_a_rate_and_no_guess(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    times = iter([0.0, 20.0, 60.0])
    with Console(clock=lambda: next(times)) as console:
        console.done(_entry("a.png"))
        console.done(_entry("b.png"))
    assert capsys.readouterr().err == "2 written, 0 skipped, 0 failed; 2 a minute\n"


def test_several_videos_have_a_bar_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Console() as console:
        for done in (1, 2):
            console.frames("a.mp4", done, 8)
            console.frames("b.mp4", 4 * done, 8)
        console.done(_entry("b.mp4"))
        assert list(console._clips) == ["a.mp4"]
    assert {"a.mp4", "b.mp4"} <= set(capsys.readouterr().err.replace(":", " ").split())


def test_a_report_is_written_on_the_way(tmp_path: Path) -> None:
    with Report(tmp_path / "report.jsonl") as report, Console(report) as console:
        console.done(_entry("a.png"))
        assert '"a.png"' in (tmp_path / "report.jsonl").read_text()
    assert console.tally == Tally(written=1)


def test_silence_may_be_told_everything() -> None:
    Silence().begun(1)
    Silence().frames("a.mp4", 1, None)
    Silence().done(_entry("a.mp4"))
