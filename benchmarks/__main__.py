"""Runs the benchmarks and lays their figures out: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks._machine import machine, versions
from benchmarks._records import Record, read_records

HERE = Path(__file__).resolve().parent


@dataclass
class Outcome:
    """What became of one benchmark; `error` says why it broke, if it did."""

    seconds: float
    records: list[Record] = field(default_factory=list)
    error: str = ""

    @property
    def good(self) -> bool:
        """Whether it ran through and kept its bounds."""
        return not self.error and all(record.within for record in self.records)


def main(argv: Sequence[str] | None = None, *, folder: Path = HERE) -> int:
    """Runs the benchmarks of a folder; the exit status is 0 if all of them kept their bounds."""
    known = sorted(path.stem for path in folder.glob("[!_]*.py"))
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; all")
    parser.add_argument("--output", type=Path, default=Path("runs", "bench"))
    options = parser.parse_args(argv)
    unknown = sorted(set(options.names) - set(known))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}")

    taken = {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
    }
    options.output.mkdir(parents=True, exist_ok=True)
    outcomes: dict[str, Outcome] = {}
    for name in options.names or known:
        print(f"== {name}", flush=True)
        outcomes[name] = run_one(name, folder)
        # After each of them, since all take long.
        table = as_markdown(taken, outcomes)
        (options.output / "bench.md").write_text(table, "utf-8")
        (options.output / "bench.json").write_text(as_json(taken, outcomes), "utf-8")
    print(f"\n{table}\nwritten to {options.output / 'bench.md'} and bench.json")
    bad = [name for name, outcome in outcomes.items() if not outcome.good]
    if bad:
        print(f"missed a bound or broke: {', '.join(bad)}", file=sys.stderr)
    return 1 if bad else 0


def run_one(name: str, folder: Path) -> Outcome:
    """Runs a benchmark in a process of its own; what it prints is shown as it comes."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "records.jsonl")
        start = time.monotonic()
        process = subprocess.run(
            [sys.executable, "-m", f"{folder.name}.{name}", f"--json={file}"], cwd=folder.parent
        )
        outcome = Outcome(seconds=round(time.monotonic() - start, 1))
        try:
            outcome.records = read_records(file)
        except ValueError as error:
            outcome.error = str(error)
    if not outcome.error and not outcome.records:
        outcome.error = "it reported no figure"
    if process.returncode and outcome.good:  # a missed bound would explain it
        outcome.error = f"it ended with exit status {process.returncode}"
    return outcome


def as_json(taken: dict[str, Any], outcomes: dict[str, Outcome]) -> str:
    """All there is to know, for programs."""
    found = {name: {**asdict(outcome), "good": outcome.good} for name, outcome in outcomes.items()}
    return json.dumps({**taken, "benchmarks": found}, indent=2) + "\n"


def as_markdown(taken: dict[str, Any], outcomes: dict[str, Outcome]) -> str:
    """A table for people, with what it was taken on above it."""
    on, of = taken["machine"], taken["versions"]
    programs = ", ".join(f"{name} {version}" for name, version in of.items() if name != "onednn")
    lines = [
        f"Taken at {taken['date']} on {on['cpu']} ({', '.join(on['instructions'])}), {on['cores']} "
        f"cores, {on['memory_gb']} GB, {on['os']}, load {on['load_before']} before; {programs}; "
        f"oneDNN {of['onednn']}.",
        "",
        "| benchmark | figure | value | bound | |",
        "| --- | --- | ---: | ---: | --- |",
    ]
    for name, outcome in outcomes.items():
        rows = [
            (record.name, _value(record), _bound(record), "" if record.within else "**missed**")
            for record in outcome.records
        ]
        if outcome.error:
            rows.append((outcome.error, "", "", "**broken**"))
        for row in rows:
            cells = (name, *row)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _value(record: Record) -> str:
    if record.value is None:
        return f"skipped: {record.skipped}"
    number = _three_digits(record.value)
    return number if record.unit == "ratio" else f"{number} {record.unit}"


def _bound(record: Record) -> str:
    bounds = (("at least", record.at_least), ("at most", record.at_most))
    return ", ".join(f"{words} {bound:g}" for words, bound in bounds if bound is not None)


def _three_digits(value: float) -> str:
    """0.996, 1.20, 13.5, 1702: three digits that count, and all before the point."""
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{max(0, 2 - magnitude)}f}"


if __name__ == "__main__":
    sys.exit(main())
