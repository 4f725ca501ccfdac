from __future__ import annotations

import json
from pathlib import Path

import pytest

from wbc_tf.inference.jobs import OutputError
from wbc_tf.inference.report import Entry, Report


def test_each_picture_is_a_line_that_can_be_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    path.write_text("of an earlier run\n")
    with Report(path) as report:
        report.add(Entry("a.jpg", "b.jpg", "written", 30, 20, 1, 0.123456, ("16 bits",)))
        first = json.loads(path.read_text())
        report.add(Entry("ü\udcff.jpg", "c.jpg", "failed", error="an empty file"))
    assert first == {
        "source": "a.jpg",
        "target": "b.jpg",
        "status": "written",
        "width": 30,
        "height": 20,
        "frames": 1,
        "seconds": 0.1235,
        "notes": ["16 bits"],
        "error": None,
    }
    second = json.loads(path.read_text().splitlines()[1])
    assert second["source"] == "ü\udcff.jpg", "a name that is no valid Unicode comes back as it was"
    assert (second["error"], second["width"]) == ("an empty file", None)


def test_the_folder_of_a_report_is_made(tmp_path: Path) -> None:
    with Report(tmp_path / "new" / "report.jsonl"):
        pass
    assert (tmp_path / "new" / "report.jsonl").read_text() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here is always full")
def test_a_full_disk_is_told_as_one() -> None:
    full = pytest.raises(OutputError, match=r"/dev/full: cannot write there \(No space left")
    with Report("/dev/full") as report, full:
        report.add(Entry("a.jpg", "b.jpg", "written"))
