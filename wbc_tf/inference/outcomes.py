"""What becomes of the jobs of a call: told to people, reported to machines, counted."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from wbc_tf.inference.jobs import Tally
from wbc_tf.inference.report import Entry, Report


class Outcomes:
    """Takes one entry a job, in their order."""

    def __init__(self, report: Report | None = None) -> None:
        self._report = report
        self._statuses: Counter[str] = Counter()
        self._notes: dict[str, list[Path]] = {}

    @property
    def tally(self) -> Tally:
        """What became of the jobs so far, by number."""
        return Tally(**{name: self._statuses[name] for name in ("written", "skipped", "failed")})

    def add(self, entry: Entry) -> None:
        """Names a failure at once; notes are kept for the end."""
        self._statuses[entry.status] += 1
        if entry.status == "failed":
            tqdm.write(f"failed: {entry.error}", file=sys.stderr)
        else:
            for note in entry.notes:
                self._notes.setdefault(note, []).append(Path(entry.source))
        if self._report is not None:
            self._report.add(entry)

    def tell_notes(self) -> None:
        """A line for each kind: a folder of scans must not bury what failed."""
        for note, sources in self._notes.items():
            more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
            print(f"note: {sources[0]}{more}: {note}", file=sys.stderr)
