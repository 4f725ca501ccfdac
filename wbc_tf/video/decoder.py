"""Frames in the order that they are shown, one for each that the file promises."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av
from av import Packet, VideoFrame
from av.video.stream import VideoStream


class Shown(NamedTuple):
    """A frame and when it is shown, in ticks of the stream's time base; 0 is no known duration."""

    frame: VideoFrame
    time: int
    duration: int


class Decoder:
    """Decodes a stream; in the place of a broken frame stands the one before it.

    Attributes:
      broken: frames so far that could not be decoded, or only with holes in them.
      moved: frames so far whose time ran backwards, and was set one tick after the one before.
    """

    def __init__(self, stream: VideoStream) -> None:
        self.broken = 0
        self.moved = 0
        self._stream = stream
        stream.thread_type = "AUTO"
        rate = stream.guessed_rate or stream.average_rate or Fraction(25)
        assert stream.time_base is not None
        self._usual = max(1, round(1 / (rate * stream.time_base)))
        # AVI has no times but the order of its packets. For H.264, FFmpeg allows for frames that
        # are stored in another order than they are shown, and is late where they are not.
        self._in_order = stream.container.format.name == "avi" and stream.name == "h264"
        # Times that went in and did not come out, the earliest first.
        self._expected: list[int] = []
        # Up to here what is missing was lost. Else it is no frame: packets may hold none.
        self._doubtful: int | None = None
        self._lost = 0
        self._last: Shown | None = None
        self._before_first: list[int] = []

    def decode(self, packet: Packet) -> Iterator[Shown]:
        """What a packet makes ready to be shown; one without data ends the stream."""
        time = packet.dts if self._in_order else packet.pts
        if packet.size and time is not None:
            heapq.heappush(self._expected, time)
        try:
            frames = self._stream.decode(packet if packet.size else None)
        except av.FFmpegError:
            # With several threads the error may be of an earlier packet, never of a later one.
            self._doubtful = max(self._expected, default=None)
            self._lost += 1
            frames = []
        for frame in frames:
            yield from self._take(frame)
        if not packet.size:
            yield from self._missing(None)

    def _take(self, frame: VideoFrame) -> Iterator[Shown]:
        time = frame.pts
        if self._in_order and self._expected:
            lost, self._lost = self._lost, 0
            time = heapq.nsmallest(lost + 1, self._expected)[-1]
        if time is None:
            time = self._next()
        yield from self._missing(time)
        if frame.is_corrupt and self._last is not None:
            self.broken += 1
            yield self._at(self._last.frame, time, frame.duration)
            return
        while self._before_first:
            self.broken += 1
            yield self._at(frame, self._before_first.pop(0), 0)
        yield self._at(frame, time, frame.duration)

    def _missing(self, before: int | None) -> Iterator[Shown]:
        """The last frame once more for each that was lost; all others are forgotten."""
        while self._expected and (before is None or self._expected[0] <= before):
            time = heapq.heappop(self._expected)
            if time == before or self._doubtful is None or time > self._doubtful:
                continue
            if self._last is None:
                self._before_first.append(time)
            else:
                self.broken += 1
                yield self._at(self._last.frame, time, 0)

    def _next(self) -> int:
        return 0 if self._last is None else self._last.time + (self._last.duration or self._usual)

    def _at(self, frame: VideoFrame, time: int, duration: int) -> Shown:
        if self._last is not None and time <= self._last.time:
            self.moved += 1
            time = self._last.time + 1
        self._last = Shown(frame, time, duration or 0)
        return self._last
