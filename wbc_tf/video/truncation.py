"""Finds out whether a video file is whole or was cut off.

The most exact source is the file's own structure: Matroska, MP4 and AVI state the size of their
largest parts, so missing bytes can be counted. Durations in headers are less exact: they are
rounded and often belong to the longest stream. Some formats state nothing.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
from av import Packet
from av.container import InputContainer
from av.video.stream import VideoStream

_TS_DISCONT = 0x200  # FFmpeg's AVFMT_TS_DISCONT

# Seconds by which a whole file may end before its header says.
_TOLERANCE = Fraction(1, 2)
# FFmpeg's names of the containers whose header states the duration exactly, and of those whose
# header states it less reliably. For others FFmpeg estimates it from the file as it is.
_STATED, _ROUGHLY_STATED = ("mov", "matroska", "avi"), ("flv", "asf")
# Frames by which the less reliable headers may differ: they may count from when the first frame is
# stored, which is earlier than it is shown where there are B frames.
_ROUGHLY = 4

# Matroska's elements, with their length marker (RFC 8794): the file's header, and all the rest.
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067


def is_broadcast(container: InputContainer) -> bool:
    """Whether the format is made for endless streams, whose clock may start at any time."""
    return bool(container.format.flags & _TS_DISCONT)


def stated_end(container: InputContainer) -> Fraction | None:
    """Seconds at which a file's longest stream ends, on the file's own clock; None if unknown."""
    if container.duration is None:
        return None
    # Matroska's duration counts from 0, wherever the first frame is; the others' from that frame.
    start = 0 if _kind(container) == "matroska" else container.start_time or 0
    return Fraction(start + container.duration, av.time_base)


class EndCheck:
    """Compares what was read of a file with what the file states. Show it every packet."""

    def __init__(self, path: Path, container: InputContainer, video: VideoStream) -> None:
        self._video = video
        self._kind = _kind(container)
        self._may_break = is_broadcast(container)
        self._missing_bytes = missing_bytes(path, self._kind)
        self._frame = 1 / (video.guessed_rate or Fraction(25))
        end = _picture_end(video, self._kind)
        self._by_picture = end is not None
        self._stated = stated_end(container) if end is None else end
        self._end = Fraction(0)
        self._broken = False

    def watch(self, packet: Packet) -> None:
        """Takes note of a packet of any stream."""
        time = packet.dts if packet.pts is None else packet.pts
        if not packet.size or time is None:
            return
        self._broken = packet.is_corrupt
        if packet.stream is self._video or not self._by_picture:
            self._end = max(self._end, (time + (packet.duration or 0)) * packet.time_base)

    def error(self) -> str | None:
        """After the last packet: that frames are missing, as a phrase for people; else None."""
        short = self._stated is not None and self._end < self._stated - self._tolerance
        if (self._missing_bytes and not self._all_frames) or (short and self._kind in _STATED):
            of = f" of {float(self._stated):.3g}" if self._stated and short else ""
            return f"cut off at {float(self._end):.3g}{of} s"
        if self._broken and not self._may_break:
            return f"cut off at {float(self._end):.3g} s, within a frame"
        return None

    def note(self) -> str | None:
        """After the last packet, without an error: what is doubtful, as a phrase for people."""
        if self._missing_bytes:
            return f"its last {self._missing_bytes} bytes are missing, but all frames are there"
        if self._missing_bytes == 0:
            return None
        if self._stated is not None and self._header_states_end:
            short = self._stated - self._end
            if short > _ROUGHLY * self._frame:
                return f"ends {float(short):.2g} s before its header says"
            return None
        return "nothing in it states where it ends: a missing end would go unnoticed"

    @property
    def _header_states_end(self) -> bool:
        """Else FFmpeg's duration is an estimate from the file as it is, cut off or not."""
        if self._kind in ("mov", "avi"):
            return self._video.frames > 0
        return self._kind in _ROUGHLY_STATED or (self._kind in _STATED and self._by_picture)

    @property
    def _tolerance(self) -> Fraction:
        return self._frame / 2 if self._missing_bytes else _TOLERANCE

    @property
    def _all_frames(self) -> bool:
        """The picture's own end is known, and was reached."""
        return (
            self._by_picture
            and self._stated is not None
            and self._end >= self._stated - self._tolerance
        )


def missing_bytes(path: Path, kind: str) -> int | None:
    """How many bytes are missing at a file's end, by the sizes that its own structure states.

    Args:
      path: the file.
      kind: the first of FFmpeg's names for its container.

    Returns:
      0 for a whole file; None where the file states no size.
    """
    find = {"matroska": _matroska_end, "mov": _mp4_end, "avi": _avi_end}.get(kind)
    if find is None:
        return None
    with path.open("rb") as stream:
        end = find(stream)
    return None if end is None else max(0, end - path.stat().st_size)


def _kind(container: InputContainer) -> str:
    return container.format.name.split(",")[0]


def _picture_end(video: VideoStream, kind: str) -> Fraction | None:
    """Seconds at which the video stream itself ends, if the file states that."""
    # In Matroska only the tag states it. Where sound is much longer than the picture, FFmpeg gives
    # the whole file's duration to the stream.
    if kind != "matroska" and video.duration is not None and video.time_base is not None:
        return ((video.start_time or 0) + video.duration) * video.time_base
    # Matroska's tag for it, which FFmpeg and mkvmerge write.
    clock = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", video.metadata.get("DURATION", ""))
    if clock is None:
        return None
    hours, minutes, seconds = clock.groups()
    return 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)


def _matroska_end(stream: BinaryIO) -> int | None:
    """Where the segment ends; None for a live stream, whose size is not known."""
    while True:
        number = _ebml_number(stream, keep_marker=True)
        size = _ebml_number(stream, keep_marker=False)
        if number not in (_EBML, _SEGMENT) or size is None:
            return None
        if number == _SEGMENT:
            return stream.tell() + size
        stream.seek(size, 1)


def _ebml_number(stream: BinaryIO, *, keep_marker: bool) -> int | None:
    """EBML's numbers of one to eight bytes; None for one that is unknown or cut off."""
    first = stream.read(1)
    if not first or first[0] == 0:
        return None
    length = 9 - first[0].bit_length()
    data = first + stream.read(length - 1)
    value = int.from_bytes(data, "big")
    if keep_marker:
        return value
    value &= (1 << 7 * length) - 1
    return None if value == (1 << 7 * length) - 1 else value


def _mp4_end(stream: BinaryIO) -> int | None:
    """Where the last box ends; None for a file in fragments without an index at its end.

    Such a file may have been cut between two fragments.
    """
    size = stream.seek(0, 2)
    position, kinds = 0, set()
    while position + 8 <= size:
        stream.seek(position)
        header = stream.read(16)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:], "big")
        elif length == 0:  # up to the file's end
            return None
        if length < 8:  # not a box: whatever follows the last one
            break
        kinds.add(kind)
        position += length
    if position <= size and b"moof" in kinds and b"mfra" not in kinds:
        return None
    return position


def _avi_end(stream: BinaryIO) -> int | None:
    """Where the last RIFF chunk ends: one for each gigabyte or so."""
    size = stream.seek(0, 2)
    position = 0
    while position + 8 <= size:
        stream.seek(position)
        header = stream.read(8)
        length = int.from_bytes(header[4:], "little")
        if header[:4] != b"RIFF" or length == 0:
            break
        position += 8 + length + length % 2
    return position or None
