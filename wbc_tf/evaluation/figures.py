"""A figure, a table of figures for people, and a record of them for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One number.

    Attributes:
      metric: its name, which pins how it is measured.
      of: the label of the pictures that are measured.
      to: the label of the pictures that they are compared with, or None.
      value: the number.
      interval: its 95% confidence interval, where that is known.
    """

    metric: str
    of: str
    to: str | None
    value: float
    interval: tuple[float, float] | None = None

    @property
    def tag(self) -> str:
        """The figure's name as a curve of the generated pictures."""
        return self.metric if self.to is None else f"{self.metric}_to_{self.to}"


def table(figures: Sequence[Figure], missing: Mapping[str, str]) -> str:
    """Aligned columns, a row for each figure and for each metric that could not be measured."""
    rows = [("metric", "of", "to", "value", "95% interval")]
    for figure in figures:
        interval = "" if figure.interval is None else "{:.4g} to {:.4g}".format(*figure.interval)
        rows.append((figure.metric, figure.of, figure.to or "", f"{figure.value:.4g}", interval))
    rows += [(metric, "", "", "not measured", "") for metric in missing]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        cells[3] = row[3].rjust(widths[3])
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def as_record(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """The figures for JSON, in their order."""
    return [
        {
            key: value
            for key, value in (
                ("metric", figure.metric),
                ("of", figure.of),
                ("to", figure.to),
                ("value", figure.value),
                ("interval", figure.interval),
            )
            if value is not None
        }
        for figure in figures
    ]
