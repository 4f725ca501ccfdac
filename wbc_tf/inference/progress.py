"""Progress of a call: the listener that is told of it, and the command line's own listener.

`cartoonize_photos` and `cartoonize_videos` call a listener from the thread they were called in. A
web page or a cluster has a listener of its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol

from tqdm import tqdm

from wbc_tf.inference.jobs import Tally
from wbc_tf.inference.report import Entry, Report

#: Seconds between two lines of progress where stderr is no terminal.
SECONDS_BETWEEN_LINES = 30.0


class Listener(Protocol):
    """Is told what becomes of the jobs."""

    def begun(self, total: int) -> None:
        """`total` jobs follow; called once for the photos and once for the videos of a call.

        It is never called where the jobs are listed while they are done.
        """

    def frames(self, source: str, done: int, total: int | None) -> None:
        """`done` frames of a video are finished; `total` is None where the file does not say."""

    def done(self, entry: Entry) -> None:
        """A job is finished; called once for each, in their order."""


class Silence:
    """A listener that tells nobody."""

    def begun(self, total: int) -> None:
        """See `Listener`."""

    def frames(self, source: str, done: int, total: int | None) -> None:
        """See `Listener`."""

    def done(self, entry: Entry) -> None:
        """See `Listener`."""


class Console:
    """Tells people on stderr; used as a context manager.

    A failure is named at once. Notes follow at the end, a line for each kind, so that many notes do
    not hide the failures. On a terminal there is a progress bar; elsewhere, such as in a
    log file, a line every 30 seconds with counts, rate and time left.

    Attributes:
      tally: what became of the jobs so far.

    Args:
      report: is told as well.
      clock: seconds; for tests.
    """

    def __init__(
        self, report: Report | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._report = report
        self._clock = clock
        self._started = self._last_line = clock()
        self._total = 0
        self.tally = Tally()
        # A note: the first file that it is about, and the number of files.
        self._notes: dict[str, tuple[str, int]] = {}
        self._terminal = sys.stderr.isatty()
        self._bar = tqdm(total=0, unit="file", disable=not self._terminal)
        self._clips: dict[str, tqdm[None]] = {}

    def begun(self, total: int) -> None:
        """See `Listener`."""
        if self._total == 0:
            self._started = self._clock()
        self._total += total
        self._bar.total = self._total
        self._bar.refresh()

    def frames(self, source: str, done: int, total: int | None) -> None:
        """See `Listener`."""
        if self._terminal:
            if source not in self._clips:
                name = Path(source).name
                self._clips[source] = tqdm(total=total, unit="frame", desc=name, leave=False)
            self._clips[source].update(done - self._clips[source].n)
        else:
            of = f" of {total}" if total else ""
            self._line(f"{source}: {done}{of} frames; ")

    def done(self, entry: Entry) -> None:
        """See `Listener`."""
        if entry.source in self._clips:
            self._clips.pop(entry.source).close()
        if entry.status != "ignored":
            self.tally = self.tally.counted(entry.status)
            self._bar.update()
        if self._report is not None:
            self._report.add(entry)
        if entry.status == "failed":
            tqdm.write(f"failed: {entry.error}", file=sys.stderr)
        else:
            for note in entry.notes:
                first, number = self._notes.get(note, (entry.source, 0))
                self._notes[note] = first, number + 1
        if not self._terminal:
            self._line("")

    def _line(self, before: str) -> None:
        now = self._clock()
        if now - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        settled = self.tally.written + self.tally.failed
        text = f"{before}{self.tally}"
        if self._total:
            text += f" of {self._total}"
        if settled:
            rate = settled / (now - self._started)
            text += f"; {rate * 60:.3g} a minute"
            if self._total:
                left = (self._total - settled - self.tally.skipped) / rate
                text += f", about {tqdm.format_interval(left)} left"
        print(text, file=sys.stderr, flush=True)

    def __enter__(self) -> Console:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for clip in self._clips.values():
            clip.close()
        self._bar.close()
        for note, (first, number) in self._notes.items():
            more = f" and {number - 1} more" if number > 1 else ""
            print(f"note: {first}{more}: {note}", file=sys.stderr)
