from __future__ import annotations

import sys

import pytest

from wbc_tf.inference.progress import Console, Listeners
from wbc_tf.inference.report import Entry


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


def test_several_listeners_are_told_the_same() -> None:
    told: list[tuple[object, ...]] = []

    class Told:
        def begun(self, total: int) -> None:
            told.append((total,))

        def frames(self, source: str, done: int, total: int | None) -> None:
            told.append((source, done, total))

        def done(self, entry: Entry) -> None:
            told.append((entry.source,))

    both = Listeners(Told(), Told())
    both.begun(1)
    both.frames("a.mp4", 2, None)
    both.done(_entry("a.mp4"))
    assert told == [(1,), (1,), ("a.mp4", 2, None), ("a.mp4", 2, None), ("a.mp4",), ("a.mp4",)]
