"""Whether a file was read to its end, or only to where somebody cut it off."""

from __future__ import annotations

from fractions import Fraction

import av
from av import Packet
from av.container import InputContainer
from av.video.stream import VideoStream

from wbc_tf.video.opening import is_broadcast

# Seconds. Whole files, too, may end a little before their header says: it rounds, and counts the
# longest stream.
_TOLERANCE = Fraction(1, 2)
# The kinds whose header knows. Elsewhere FFmpeg guesses by the bit rate, or looks where it ends.
_KNOWS = ("mov", "matroska", "avi")


class Ending:
    """Watches the packets go by."""

    def __init__(self, container: InputContainer, video: VideoStream) -> None:
        self._video = video
        self._knows = container.format.name.split(",")[0] in _KNOWS
        # A recorded broadcast ends anywhere, also in the midst of a packet.
        self._may_break = is_broadcast(container)
        self._stated: Fraction | None = None
        self._by_picture = video.duration is not None
        if video.duration is not None and video.time_base is not None:
            self._stated = ((video.start_time or 0) + video.duration) * video.time_base
        elif container.duration is not None:
            self._stated = Fraction((container.start_time or 0) + container.duration, av.time_base)
        self._end = Fraction(0)
        self._broken = False

    def watch(self, packet: Packet) -> None:
        """Takes note of a packet, of whatever stream."""
        time = packet.dts if packet.pts is None else packet.pts
        if not packet.size or time is None:
            return
        self._broken = packet.is_corrupt
        if packet.stream is self._video or not self._by_picture:
            self._end = max(self._end, (time + (packet.duration or 0)) * packet.time_base)

    def missing(self) -> str | None:
        """After the last packet: what is wrong, as a phrase for people; None if nothing is."""
        if self._stated is not None and self._knows and self._end < self._stated - _TOLERANCE:
            return f"cut off at {float(self._end):.3g} of {float(self._stated):.3g} s"
        if self._broken and not self._may_break:
            return f"cut off at {float(self._end):.3g} s, within a frame"
        return None
