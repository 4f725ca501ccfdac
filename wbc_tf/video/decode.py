"""Decodes a video stream: frames in the order they are shown, one for each the file announces."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av
from av import Packet, VideoFrame
from av.video.stream import VideoStream


class DecodedFrame(NamedTuple):
    """A frame and when it is shown.

    Attributes:
      frame: the pixels.
      time: when it is shown, in ticks of the stream's time base.
      duration: in the same ticks; 0 if unknown.
      broken: it could not be decoded, and a neighbour takes its place.
      moved: its time ran backwards, and was set one tick after the frame before.
    """

    frame: VideoFrame
    time: int
    duration: int
    broken: bool = False
    moved: bool = False


class Decoder:
    """Decodes a stream. A broken frame is replaced by the one before it."""

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        stream.thread_type = "AUTO"
        rate = stream.guessed_rate or stream.average_rate or Fraction(25)
        assert stream.time_base is not None
        self._usual = max(1, round(1 / (rate * stream.time_base)))
        self._in_order = times_by_order(stream)
        # Times of packets whose frames have not come out yet, as a heap.
        self._expected: list[int] = []
        # Frames missing up to this time were lost. Later ones never existed: some packets hold no
        # frame.
        self._lost_up_to: int | None = None
        self._lost = 0
        self._last: DecodedFrame | None = None
        self._before_first: list[int] = []

    def decode(self, packet: Packet) -> Iterator[DecodedFrame]:
        """The frames that this packet completes; an empty packet ends the stream."""
        time = packet.dts if self._in_order else packet.pts
        if packet.size and time is not None:
            heapq.heappush(self._expected, time)
        try:
            frames = self._stream.decode(packet if packet.size else None)
        except av.FFmpegError:
            # With several threads the error may belong to an earlier packet, never to a later one.
            self._lost_up_to = max(self._expected, default=None)
            self._lost += 1
            frames = []
        for frame in frames:
            yield from self._take(frame)
        if not packet.size:
            yield from self._replacements(None)

    def _take(self, frame: VideoFrame) -> Iterator[DecodedFrame]:
        time = frame.pts
        if self._in_order and self._expected:
            lost, self._lost = self._lost, 0
            time = heapq.nsmallest(lost + 1, self._expected)[-1]
        if time is None:
            time = self._next()
        yield from self._replacements(time)
        if frame.is_corrupt and self._last is not None:
            yield self._at(self._last.frame, time, frame.duration, broken=True)
            return
        while self._before_first:
            yield self._at(frame, self._before_first.pop(0), 0, broken=True)
        yield self._at(frame, time, frame.duration)

    def _replacements(self, before: int | None) -> Iterator[DecodedFrame]:
        """The last frame again for each one lost before that time."""
        while self._expected and (before is None or self._expected[0] <= before):
            time = heapq.heappop(self._expected)
            if time == before or self._lost_up_to is None or time > self._lost_up_to:
                continue
            if self._last is None:
                self._before_first.append(time)
            else:
                yield self._at(self._last.frame, time, 0, broken=True)

    def _next(self) -> int:
        return 0 if self._last is None else self._last.time + (self._last.duration or self._usual)

    def _at(
        self, frame: VideoFrame, time: int, duration: int, *, broken: bool = False
    ) -> DecodedFrame:
        moved = self._last is not None and time <= self._last.time
        if self._last is not None and moved:
            time = self._last.time + 1
        self._last = DecodedFrame(frame, time, duration or 0, broken, moved)
        return self._last


def times_by_order(stream: VideoStream) -> bool:
    """Whether frames are shown in the order of their packets, whatever FFmpeg says of their times.

    AVI stores no times, only the order of packets. For H.264, FFmpeg expects frames that are stored
    in another order than shown, and gives late times where there are none.
    """
    return bool(stream.container.format.name == "avi" and stream.name == "h264")
