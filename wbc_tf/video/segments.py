"""Long videos in segments: planned at exact frames, encoded one by one, joined without encoding.

Each segment is encoded on its own and starts with a key frame. It is stored as NUT, a container
that keeps every codec's packets and all times exactly. Joining copies the packets into the final
file; sound and all other streams come from the source, as they do for a video in one piece.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av import Packet

from wbc_tf.video.read import VideoReader
from wbc_tf.video.write import VideoWriter

#: Frames that `--stabilize` looks back across a boundary. The share of a frame in the one after it
#: is at most 0.75; after 16 frames it is 1%, less than half a grey level of any flicker.
LOOKBACK = 16

# FFmpeg must not parse the packets and correct their times: it takes some of them away.
_AS_STORED = {"fflags": "+nofillin+noparse"}


class SegmentError(ValueError):
    """Segments that cannot be joined; the message names the file and says what to do."""


@dataclass(frozen=True)
class Segment:
    """Some frames of a video in a row. All times are in ticks, counted as a picture's.

    Attributes:
      number: from 0.
      first: time of its first frame.
      stop: time of the next segment's first frame; None in the last.
      lookback: time of the frame `LOOKBACK` frames earlier, or of the video's first.
      seek: time of a key frame before `lookback`, from which to decode; None is the beginning.
      frames: how many it holds, as far as packets tell.
    """

    number: int
    first: int
    stop: int | None
    lookback: int
    seek: int | None
    frames: int


def plan_segments(
    path: Path,
    seconds: float,
    *,
    start: float = 0.0,
    duration: float | None = None,
    max_pixels: int | None = None,
) -> list[Segment]:
    """Divides a video at exact frames. Reads the whole file, but decodes only its first frame.

    Args:
      path: the video.
      seconds: of each segment; the last may be shorter.
      start: seconds to leave out at the beginning.
      duration: seconds to take; None takes the rest.
      max_pixels: larger frames are refused.

    Returns:
      The segments; a single one for a short video, and for one whose frames have no clear times.

    Raises:
      VideoReadError: not a video, or one that was cut off.
    """
    with VideoReader(path, start=start, duration=duration, max_pixels=max_pixels) as reader:
        base = reader.properties.time_base
        found = reader.frame_times()
    clear = [time for time, _ in found if time is not None]
    times = sorted(set(clear))
    if len(times) < len(found):
        return [Segment(0, min(times, default=0), None, min(times, default=0), None, len(found))]
    keys = sorted(time for time, is_key in found if is_key and time is not None)
    length = Fraction(seconds).limit_denominator(10**6) / base
    starts = [
        next(group)
        for _, group in itertools.groupby(
            range(len(times)), key=lambda n: (times[n] - times[0]) // length
        )
    ]
    segments = []
    for number, begin in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(times)
        lookback = times[max(0, begin - LOOKBACK)]
        # One key frame more than needed: a picture that is refreshed bit by bit is whole by then.
        before = bisect_left(keys, lookback + 1) - 2
        stop = times[end] if end < len(times) else None
        if stop is None and duration is not None:
            stop = times[-1] + 1
        segments.append(
            Segment(
                number=number,
                first=times[begin],
                stop=stop,
                lookback=lookback,
                seek=keys[before] if number and before >= 0 else None,
                frames=end - begin,
            )
        )
    return segments


def join_segments(
    reader: VideoReader,
    files: Sequence[Path],
    writer: VideoWriter,
    *,
    delay: int,
    last_duration: int = 0,
) -> int:
    """Writes segments one after the other, and the reader's other streams beside them.

    Args:
      reader: the source, from which nothing was read yet.
      files: the segments, in order.
      writer: the new file, with the settings that the segments were made with.
      delay: the largest `VideoWriter.decoding_delay` of the segments.
      last_duration: of the last frame, in ticks; 0 if unknown.

    Returns:
      The number of frames.

    Raises:
      SegmentError: a segment that is broken, or was made with other settings.
      VideoReadError: the source is broken or was cut off.
    """
    base = writer.properties.time_base
    usual = max(1, round(1 / (writer.properties.rate * base)))
    times: list[int] = []
    for file in files:
        found, header = _look_into(file, base)
        if writer.codec_header and (
            _without_comments(header) != _without_comments(writer.codec_header)
        ):
            raise SegmentError(
                f"{file}: it was made by another version of the encoder or with other settings. "
                f"Remove the folder {file.parent} and call again"
            )
        times += found
    times.sort()
    ends = [*times[1:], times[-1] + (last_duration or usual)]
    durations = {time: end - time for time, end in zip(times, ends)}
    if len(durations) != len(times):
        raise SegmentError(
            f"{files[0].parent}: two segments hold the same frame. Remove the folder and call again"
        )
    # Packets are stored in the order of decoding. Where that is another order than the frames are
    # shown in, decoding starts `delay` frames early.
    early = times[min(delay, len(times) - 1)] - times[0]
    decoding = itertools.chain((time - early for time in times[:delay]), times)

    pictures = _packets(files, base)
    waiting = next(pictures, None)

    def write_up_to(moment: Fraction | None) -> None:
        nonlocal waiting
        while waiting is not None:
            if moment is not None and waiting.pts is not None and waiting.pts * base > moment:
                return
            assert waiting.pts is not None
            waiting.dts, waiting.duration = next(decoding), durations[waiting.pts]
            writer.write_encoded(waiting)
            waiting = next(pictures, None)

    for packet in reader.other_packets():
        if packet.pts is not None:
            write_up_to(packet.pts * packet.time_base)
        writer.write_packet(packet)
    write_up_to(None)
    return len(times)


def _look_into(file: Path, base: Fraction) -> tuple[list[int], bytes]:
    """Times of a segment's frames in ticks, and its codec header."""
    with av.open(f"file:{file}", format="nut", options=_AS_STORED) as container:
        video = container.streams.video[0]
        header = bytes(video.codec_context.extradata or b"")
        times = [_ticks(packet, base) for packet in container.demux(video) if packet.size]
    return times, header


def _packets(files: Sequence[Path], base: Fraction) -> Iterator[Packet]:
    for file in files:
        with av.open(f"file:{file}", format="nut", options=_AS_STORED) as container:
            for packet in container.demux(video=0):
                if packet.size:
                    packet.pts = _ticks(packet, base)
                    yield packet


def _ticks(packet: Packet, base: Fraction) -> int:
    assert packet.pts is not None
    return round(packet.pts * packet.time_base / base)


def _without_comments(header: bytes) -> bytes:
    """H.265's header without the encoder's text about itself, which names its number of threads."""
    units = header.split(b"\0\0\1")
    return b"\0\0\1".join(u for u in units if not u or u[0] >> 1 != 39)
