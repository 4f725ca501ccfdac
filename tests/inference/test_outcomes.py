from __future__ import annotations

import json
from pathlib import Path

import pytest

from wbc_tf.inference.jobs import Tally
from wbc_tf.inference.outcomes import Outcomes
from wbc_tf.inference.report import Entry, Report


def test_entries_are_counted_told_and_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Report(tmp_path / "report.jsonl") as report:
        outcomes = Outcomes(report)
        outcomes.add(Entry("a.png", "b/a.png", "written", notes=("lost one", "lost two")))
        outcomes.add(Entry("c.png", "b/c.png", "failed", notes=("unheard",), error="c.png: why"))
        assert capsys.readouterr().err == "failed: c.png: why\n", "at once"
        outcomes.add(Entry("d.png", "b/d.png", "skipped"))
        outcomes.add(Entry("e.png", "b/e.png", "written", notes=("lost one",)))
        assert outcomes.tally == Tally(written=2, skipped=1, failed=1)
        outcomes.tell_notes()
    assert capsys.readouterr().err.splitlines() == [
        "note: a.png and 1 more: lost one",
        "note: a.png: lost two",
    ]
    lines = (tmp_path / "report.jsonl").read_text("ascii").splitlines()
    assert [json.loads(line)["source"] for line in lines] == ["a.png", "c.png", "d.png", "e.png"]


def test_nobody_has_to_want_a_report() -> None:
    outcomes = Outcomes()
    outcomes.add(Entry("a.png", "b.png", "written"))
    assert outcomes.tally == Tally(written=1, skipped=0, failed=0)
