"""Which part of a clip is taken; what is kept of it is counted from the part's beginning."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av import Packet
from av.stream import Disposition


@dataclass(frozen=True)
class Span:
    """Seconds on a clip's own clock.

    Attributes:
      start: becomes 0.
      stop: the first moment that is left out; None is the end.
      from_the_start: nothing before `start` is to be left out: sound may begin a little before the
        picture, to warm its decoder up.
    """

    start: Fraction = Fraction(0)
    stop: Fraction | None = None
    from_the_start: bool = True

    def time(self, ticks: int, base: Fraction) -> int | None:
        """A time counted from the start, in the same ticks; None where it is left out."""
        if not self.from_the_start and ticks * base < self.start:
            return None
        if self.is_over(ticks, base):
            return None
        return ticks - round(self.start / base)

    def is_over(self, ticks: int, base: Fraction) -> bool:
        """Whether that time is past the end."""
        return self.stop is not None and ticks * base >= self.stop

    def take(self, packet: Packet) -> bool:
        """Sets a packet's times to those within the span; False where it is left out.

        A subtitle that began before is shown from the beginning on; a cover has no time.
        """
        if packet.stream.disposition & Disposition.attached_pic:
            return True
        begun = packet.dts if packet.pts is None else packet.pts
        if begun is None:
            return False
        base, duration = packet.time_base, packet.duration or 0
        if packet.stream.type == "subtitle" and not self.from_the_start:
            late = round(self.start / base) - begun
            if 0 < late < duration:
                begun, packet.duration = begun + late, duration - late
                packet.pts = packet.dts = begun
        time = self.time(begun, base)
        if time is None:
            return False
        shift = time - begun
        packet.dts = time if packet.dts is None else packet.dts + shift
        packet.pts = time
        return True

    def chapters(self, chapters: list[Any]) -> tuple[dict[str, Any], ...]:
        """Those that lie within, as PyAV has them, cut to it."""
        kept = []
        for chapter in chapters:
            base = chapter["time_base"]
            first = max(0, chapter["start"] - round(self.start / base))
            last = chapter["end"] - round(self.start / base)
            if self.stop is not None:
                last = min(last, round((self.stop - self.start) / base))
            if last > first:
                kept.append({**chapter, "start": first, "end": last})
        return tuple(kept)
