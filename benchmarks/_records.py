"""How a benchmark reports: a line of JSON for each figure."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """A figure, or why there is none.

    Attributes:
      name: what was measured, in words.
      value: None where it was skipped.
      unit: "ratio", or what the value counts, such as "ms".
      at_least: the bound that we hold ourselves to, if any.
      at_most: likewise.
      skipped: what the machine lacks.
    """

    name: str
    value: float | None = None
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    skipped: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"a record needs a name, not {self.name!r}")
        for field in ("value", "at_least", "at_most"):
            number = getattr(self, field)
            if number is not None and not (
                isinstance(number, (int, float)) and math.isfinite(number)
            ):
                raise ValueError(f"{self.name}: {field} is a number, not {number!r}")
        if (self.value is None) != bool(self.skipped):
            raise ValueError(f"{self.name}: either a value or why it was skipped")

    @property
    def within(self) -> bool:
        """Whether the bounds are kept; what was skipped misses none."""
        return self.value is None or (
            (self.at_least is None or self.value >= self.at_least)
            and (self.at_most is None or self.value <= self.at_most)
        )


def add_json_flag(parser: argparse.ArgumentParser) -> None:
    """Gives a benchmark the option by which it is asked for records."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the figures to this file")


class Records:
    """What one benchmark found; with a path each figure is added to that file at once."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._all_within = True

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        """Reports a figure, see `Record`."""
        # NumPy's numbers are none that JSON knows.
        self._report(Record(name, float(value), unit, at_least=at_least, at_most=at_most))

    def skip(self, name: str, reason: str) -> None:
        """Reports that this machine cannot tell."""
        self._report(Record(name, skipped=reason))

    def _report(self, record: Record) -> None:
        self._all_within &= record.within
        if self._path is not None:
            given = {field: value for field, value in asdict(record).items() if value or value == 0}
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(given) + "\n")

    @property
    def status(self) -> int:
        """The benchmark's exit status: 0, or 1 if a figure misses its bound."""
        return 0 if self._all_within else 1


def read_records(path: Path) -> list[Record]:
    """The figures in a benchmark's file.

    Raises:
      ValueError: a line that is no record; the message says which.
    """
    records = []
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(Record(**json.loads(line)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"record {number} is none: {error}") from error
    return records
