from __future__ import annotations

import importlib
import json
import math
from pathlib import Path

import pytest

from benchmarks import __main__ as runner
from benchmarks._machine import machine, versions
from benchmarks._records import Record, Records, read_records

REPORT = """
import argparse, sys
from benchmarks._records import Records, add_json_flag
parser = argparse.ArgumentParser()
add_json_flag(parser)
records = Records(parser.parse_args().json)
"""
GOOD = f"""{REPORT}
records.add("ours, to theirs", 1.2, "ratio", at_most=1.5)
records.add("a step", 934.2, "ms")
print("seen by people")
sys.exit(records.status)
"""
MISSED = f"""{REPORT}
records.add("two | one", 1.1, "ratio", at_least=1.6)
sys.exit(records.status)
"""
CRASHED = f"{REPORT}records.add('ours, to theirs', 1.2, 'ratio')\nraise RuntimeError('half way')\n"
BAD_RECORD = """
import sys
open(sys.argv[1].partition("=")[2], "w").write('{"name": "a"}\\n')
"""
SILENT = ""
SKIPPED = f"{REPORT}records.skip('in bfloat16', 'no such instructions')\n"


@pytest.fixture
def standins(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of benchmarks, and the place where their results go by default."""
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "standins"
    folder.mkdir()
    (folder / "_helper.py").write_text("raise AssertionError('no benchmark')\n")
    return folder


def _results(folder: Path) -> dict:
    return json.loads((folder.parent / "runs" / "bench" / "bench.json").read_text("utf-8"))


# A benchmark's side.


def test_records_come_back_as_they_were_reported(tmp_path: Path) -> None:
    records = Records(tmp_path / "records")
    records.add("one", 2, "ratio", at_least=1.5, at_most=2)
    records.add("two", 0.0, "ms")
    records.skip("three", "no GPU")
    assert read_records(tmp_path / "records") == [
        Record("one", 2.0, "ratio", at_least=1.5, at_most=2),
        Record("two", 0.0, "ms"),
        Record("three", skipped="no GPU"),
    ]
    assert records.status == 0


@pytest.mark.parametrize(
    ("bounds", "status"),
    [
        ({"at_most": 2}, 0),
        ({"at_most": 1.9}, 1),
        ({"at_least": 2}, 0),
        ({"at_least": 2.1}, 1),
        ({"at_least": 1, "at_most": 3}, 0),
        ({"at_least": 3, "at_most": 1}, 1),
        ({"at_most": 0}, 1),
        ({}, 0),
    ],
)
def test_a_missed_bound_is_the_exit_status(bounds: dict, status: int) -> None:
    records = Records(None)
    records.add("it", 2, "ratio", **bounds)
    records.add("another", 1, "ms")
    assert records.status == status


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[1]",
        "{}",
        '{"name": "a"}',
        '{"name": "", "value": 1}',
        '{"name": "a", "value": NaN}',
        '{"name": "a", "value": "1"}',
        '{"name": "a", "value": 1, "at_most": "2"}',
        '{"name": "a", "value": 1, "skipped": "both"}',
        '{"name": "a", "value": 1, "at_least_": 1}',
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "records").write_text('{"name": "good", "value": 1}\n' + line + "\n")
    with pytest.raises(ValueError, match="record 2 is none"):
        read_records(tmp_path / "records")


def test_figures_that_are_no_numbers_are_not_reported(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it: value is a number, not nan"):
        Records(tmp_path / "records").add("it", math.nan, "ms")
    assert read_records(tmp_path / "records") == []


def test_every_benchmark_reports(root: Path) -> None:
    files = sorted((root / "benchmarks").glob("[!_]*.py"))
    assert {"inference", "structure", "training_step"} <= {file.stem for file in files}
    silent = [
        file.name
        for file in files
        for needed in ("add_json_flag(parser)", "records.add(", "records.status")
        if needed not in file.read_text("utf-8")
    ]
    assert silent == []
    for file in files:  # one that cannot be imported would be noticed by nobody
        importlib.import_module(f"benchmarks.{file.stem}")


# The runner's side.


def test_good_ones_make_a_table_and_a_file_for_programs(
    standins: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (standins / "fast.py").write_text(GOOD)
    (standins / "half.py").write_text(SKIPPED)
    assert runner.main([], folder=standins) == 0
    out = capfd.readouterr().out
    assert "== fast\nseen by people\n== half\n" in out
    table = (standins.parent / "runs" / "bench" / "bench.md").read_text("utf-8")
    assert table in out
    assert table.splitlines()[-3:] == [
        "| fast | ours, to theirs | 1.20 | at most 1.5 |  |",
        "| fast | a step | 934 ms |  |  |",
        "| half | in bfloat16 | skipped: no such instructions |  |  |",
    ]
    results = _results(standins)
    assert sorted(results) == ["benchmarks", "date", "machine", "versions"]
    fast = results["benchmarks"]["fast"]
    assert fast["good"] is True
    assert fast["records"][0]["value"] == 1.2
    assert results["machine"] == {**machine(), "load_before": results["machine"]["load_before"]}
    assert results["versions"] == versions()


@pytest.mark.parametrize(
    ("source", "row"),
    [
        (MISSED, "| bad | two \\| one | 1.10 | at least 1.6 | **missed** |"),
        (CRASHED, "| bad | it ended with exit status 1 |  |  | **broken** |"),
        (BAD_RECORD, "| bad | record 1 is none: a: either a value or why it was skipped |  |  |"),
        (SILENT, "| bad | it reported no figure |  |  | **broken** |"),
    ],
    ids=["missed", "crashed", "bad_record", "silent"],
)
def test_a_bad_one_is_told_of_and_the_rest_goes_on(
    standins: Path, capfd: pytest.CaptureFixture[str], source: str, row: str
) -> None:
    (standins / "bad.py").write_text(source)
    (standins / "fast.py").write_text(GOOD)
    assert runner.main([], folder=standins) == 1
    captured = capfd.readouterr()
    assert row in captured.out
    assert "| fast | a step | 934 ms |" in captured.out
    assert captured.err.splitlines()[-1] == "missed a bound or broke: bad"
    found = _results(standins)["benchmarks"]
    assert (found["bad"]["good"], found["fast"]["good"]) == (False, True)


def test_one_can_be_chosen_and_the_place_of_the_results(standins: Path) -> None:
    (standins / "bad.py").write_text(MISSED)
    (standins / "fast.py").write_text(GOOD)
    assert runner.main(["fast", "--output=there"], folder=standins) == 0
    found = json.loads(Path("there", "bench.json").read_text("utf-8"))["benchmarks"]
    assert list(found) == ["fast"]


def test_one_that_is_not_there_is_refused_before_any_is_run(
    standins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (standins / "fast.py").write_text(GOOD)
    with pytest.raises(SystemExit) as exit_:
        runner.main(["fast", "slow", "_helper"], folder=standins)
    assert exit_.value.code == 2
    assert "no benchmark _helper, slow; there are fast" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_the_machine_says_what_it_is() -> None:
    found = machine()
    assert found["cpu"]
    assert found["os"]
    assert found["cores"] >= 1
    assert 0.1 < found["memory_gb"] < 1e5
    assert versions()["numpy"].startswith("1.")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00"),
        (0.9961, "0.996"),
        (1.2, "1.20"),
        (13.52, "13.5"),
        (1702.4, "1702"),
        (-2, "-2.00"),
    ],
)
def test_three_digits_are_shown(value: float, text: str) -> None:
    lines = runner.as_markdown(
        {"date": "", "machine": machine(), "versions": versions()},
        {"b": runner.Outcome(1.0, [Record("f", value, "ratio")])},
    )
    assert f"| b | f | {text} |" in lines
