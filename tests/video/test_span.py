from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.video.clips import make
from wbc_tf.video.span import Span

MS = Fraction(1, 1000)
PART = Span(Fraction(1, 2), Fraction(2), from_the_start=False)


@pytest.mark.parametrize(
    ("ticks", "expected"), [(499, None), (500, 0), (1234, 734), (1999, 1499), (2000, None)]
)
def test_times_are_counted_from_the_start(ticks: int, expected: int | None) -> None:
    assert PART.time(ticks, MS) == expected


def test_other_ticks_are_rounded_once() -> None:
    ntsc = Fraction(1001, 30000)  # the start is at tick 14.98
    assert [PART.time(ticks, ntsc) for ticks in (14, 15, 16)] == [None, 0, 1]


def test_from_the_start_nothing_is_left_out_and_nothing_moves() -> None:
    assert Span().time(-1024, Fraction(1, 48000)) == -1024
    assert not Span().is_over(10**9, MS)
    # A broadcast begins anywhere.
    assert Span(Fraction(10)).time(9990, MS) == -10


@pytest.fixture
def subtitles(tmp_path: Path) -> Iterator[list[av.Packet]]:
    # Lines of 60 ms at 0, 80 and 160 ms.
    with av.open(str(make(tmp_path / "a.mkv", subtitles="subrip"))) as container:
        # A packet's stream is only there as long as its file is open.
        yield [p for p in container.demux(subtitles=0) if p.size]


def test_a_subtitle_that_began_before_is_shown_from_the_beginning(
    subtitles: list[av.Packet],
) -> None:
    span = Span(Fraction(100, 1000), None, from_the_start=False)
    assert [span.take(packet) for packet in subtitles] == [False, True, True]
    assert [(p.pts, p.duration) for p in subtitles[1:]] == [(0, 40), (60, 60)]


def test_packets_past_the_end_are_left_out(subtitles: list[av.Packet]) -> None:
    span = Span(Fraction(0), Fraction(160, 1000))
    assert [span.take(packet) for packet in subtitles] == [True, True, False]
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
    assert Span().chapters(chapters) == tuple(chapters)
