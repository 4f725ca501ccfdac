"""How far a run is: a bar on a terminal, else a line every now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from tqdm import tqdm

#: Seconds between two lines where nobody watches a bar.
EVERY = 30.0


class Progress:
    """Tells of the steps of one phase on standard error.

    Args:
      phase: its name.
      first: steps that the run has behind it when the phase begins or goes on.
      last: steps that it has behind it when the phase ends.
      batch_size: pictures in a step.
      stream: where to; a terminal gets a bar.
      clock: seconds that only go up.
    """

    def __init__(
        self,
        phase: str,
        *,
        first: int,
        last: int,
        batch_size: int,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        stream = sys.stderr if stream is None else stream
        self._phase, self._first, self._last = phase, first, last
        self._batch_size = batch_size
        self._stream, self._clock = stream, clock
        self._bar = (
            tqdm(total=last, initial=first, desc=phase, unit="step", file=stream)
            if stream.isatty()
            else None
        )
        self._started: float | None = None
        self._due = clock() + EVERY

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: Any) -> None:
        if self._bar is not None:
            self._bar.close()

    def step(self, done: int, values: Mapping[str, float]) -> None:
        """Notes a step that was taken.

        Args:
          done: steps that the run has behind it.
          values: the step's figures; those whose name has no slash are shown.
        """
        shown = " ".join(f"{n}={value:.3g}" for n, value in values.items() if "/" not in n)
        if self._bar is not None:
            rate = self._bar.format_dict["rate"] or 0
            self._bar.set_postfix_str(f"{rate * self._batch_size:.1f} images/s {shown}", False)
            self._bar.update()
            return
        now = self._clock()
        if self._started is None:
            # The first step builds the graph, and would spoil the rate.
            self._started, self._first = now, done
        if now < self._due:
            return
        self._due = now + EVERY
        line = f"{self._phase}: step {done} of {self._last}, {shown}"
        if done > self._first:
            per_step = (now - self._started) / (done - self._first)
            left = tqdm.format_interval(per_step * (self._last - done))
            line += f", {self._batch_size / per_step:.1f} images/s, {left} left"
        print(line, file=self._stream, flush=True)
