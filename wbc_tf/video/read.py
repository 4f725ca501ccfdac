"""Reads a video file: its frames as RGB, all other streams as packets, in the file's order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Union

import av
from av import Packet, VideoFrame
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from wbc_tf.files import PathLike
from wbc_tf.video.colour import ColourError, FrameToRgb
from wbc_tf.video.decode import DecodedFrame, Decoder, times_by_order
from wbc_tf.video.formats import CONTAINERS, TAG_ERRORS
from wbc_tf.video.frames import Picture, VideoProperties, display_matrix
from wbc_tf.video.truncation import EndCheck, is_broadcast, stated_end

#: What a video is read as.
Item = Union[Picture, Packet]

# Tags that describe the old file's bytes or the program that wrote them.
_OUTDATED = (
    *("MAJOR_BRAND", "MINOR_VERSION", "COMPATIBLE_BRANDS", "ENCODER", "SOFTWARE", "HANDLER_NAME"),
    *("VENDOR_ID", "DURATION", "BPS", "NUMBER_OF_", "_STATISTICS_"),
)

# FFmpeg's demuxers for the endings in VIDEO_EXTENSIONS. Others are not safe for files of unknown
# origin: playlists and scripts ("hls", "concat") open further files.
_DEMUXERS = (*("mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "asf", "flv", "ogg"),)
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(_DEMUXERS)}
_KINDS = {"audio": "sound", "subtitle": "subtitles", "video": "a cover", "attachment": "files"}


class VideoReadError(ValueError):
    """A file that is not a readable video; the message names it and says why."""


class VideoReader:
    """An open video file.

    Attributes:
      properties: what a result must keep.
      height: of the pictures as players show them, in pixels.
      width: of the pictures as players show them, in pixels.
      frames: number of frames, as far as the file says; else None.
      broken: frames given out so far that could not be decoded.
      moved: frames given out so far whose time ran backwards.
      container: PyAV's, for copying the other streams.
      video: the stream that is decoded.
    """

    def __init__(
        self,
        path: PathLike,
        *,
        start: float = 0.0,
        duration: float | None = None,
        max_pixels: int | None = None,
    ) -> None:
        """Opens a file and decodes its first frame.

        Args:
          path: the file.
          start: seconds to leave out at the beginning; times are counted from there.
          duration: seconds to take; None takes the rest.
          max_pixels: larger frames are refused.

        Raises:
          VideoReadError: not a video, a broken one, or one whose colours we cannot convert.
        """
        self._path = Path(path)
        self.container, self.video = open_video(self._path)
        try:
            self._refuse_size(max_pixels)
            self._range = self._find_range(start, duration)
            self.frames = self._count()
            self.broken = self.moved = 0
            self._end_note: str | None = None
            self._decoder: Decoder | None = Decoder(self.video)
            self._part: tuple[float, int | None] = (-math.inf, None)
            self._part_is_over = False
            self._count_from: float = -math.inf
            self._stream = self._items()
            # Only the first frame tells colours and rotation for sure, and that there is one.
            self._head = self._up_to_a_picture()
        except BaseException:
            self.container.close()
            raise

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.container.close()

    def items(self) -> Generator[Item, None, None]:
        """Frames in the order they are shown, with other streams' packets between; only once.

        Raises:
          VideoReadError: the file ends too early or is broken.
        """
        head, self._head = self._head, []
        yield from itertools.chain(head, self._stream)

    def other_packets(self) -> Generator[Packet, None, None]:
        """As `items`, without frames; they are not decoded, but a missing end is noticed."""
        self._decoder = None
        yield from (item for item in self.items() if isinstance(item, Packet))

    def frame_times(self) -> list[tuple[int | None, bool]]:
        """Reads the file without decoding it; in place of `items`.

        Returns:
          For each frame, in the file's order: its time in ticks, counted as a picture's, and
          whether it is a key frame. A frame without a time has None.

        Raises:
          VideoReadError: the file ends too early or is broken.
        """
        self._decoder, self._head = None, []
        self.container.close()
        self.container, self.video = open_video(self._path)
        base, by_order = self.video.time_base, times_by_order(self.video)
        assert base is not None
        times: list[tuple[int | None, bool]] = []
        ending = EndCheck(self._path, self.container, self.video)
        for packet in self._packets():
            ending.watch(packet)
            if packet.stream is not self.video or not packet.size:
                continue
            ticks = packet.dts if by_order else packet.pts
            if ticks is None:
                times.append((None, packet.is_keyframe))
                continue
            time = self._range.time(ticks, base)
            if time is not None:
                times.append((time, packet.is_keyframe))
        self._check_end(ending)
        return times

    def pictures(
        self, *, seek: int | None, first: int, stop: int | None, lookback: int | None = None
    ) -> Generator[Picture, None, None]:
        """The frames of one part, without other streams; in place of `items`.

        Args:
          seek: time of a key frame at or before `first`, from which to decode; None decodes from
            the beginning. All times are in ticks, counted as a picture's.
          first: time of the first frame.
          stop: time of the first frame that is left out; None takes all.
          lookback: begin with the frame at this earlier time; `broken` and `moved` count from
            `first` on all the same.

        Raises:
          VideoReadError: the file ends too early or is broken.
        """
        self._head, self.broken, self.moved = [], 0, 0
        # A decoder in use cannot start again at another place.
        self._open_again()
        if seek is not None and not self._seek(seek):
            self._open_again()
        self._part = (first if lookback is None else lookback), stop
        self._count_from = first
        for packet in self._packets(self.video):
            yield from self._pictures(self._decoder.decode(packet) if self._decoder else ())
            if self._part_is_over:
                return

    def _open_again(self) -> None:
        self.container.close()
        self.container, self.video = open_video(self._path)
        self._decoder = Decoder(self.video)

    def _seek(self, time: int) -> bool:
        """Whether the next packet of the video is that of a key frame at or before this time."""
        assert self.video.time_base is not None
        ticks = time + round(self._range.start / self.video.time_base)
        try:
            self.container.seek(ticks, stream=self.video)
            packet = next(self.container.demux(self.video))
            found = packet.dts if times_by_order(self.video) else packet.pts
            if not packet.is_keyframe or found is None or found > ticks:
                return False
            self.container.seek(ticks, stream=self.video)
        except (av.FFmpegError, StopIteration):
            return False
        return True

    def _is_wanted(self, decoded: DecodedFrame) -> bool:
        first, stop = self._part
        self._part_is_over = stop is not None and decoded.time >= stop
        return decoded.time >= first and not self._part_is_over

    @property
    def notes(self) -> list[str]:
        """What was lost in reading so far, each a phrase for people."""
        notes = [*self._colours.notes]
        other = misnamed(self._path, self.container)
        if other:
            notes.append(other)
        if self.broken:
            notes.append(f"{self.broken} broken frames: the one before each is repeated")
        if self.moved:
            notes.append(f"{self.moved} frames whose time ran backwards were moved")
        if self._interlaced:
            notes.append("interlaced: both fields are drawn as one picture")
        if self._end_note:
            notes.append(self._end_note)
        return notes

    def _refuse_size(self, max_pixels: int | None) -> None:
        width, height = self.video.codec_context.width, self.video.codec_context.height
        if max_pixels is not None and width * height > max_pixels:
            raise self._error(
                f"frames of {width} x {height} are too many pixels, the limit is "
                f"{max_pixels / 1e6:g} million. Raise it (--max_megapixels) if you trust the file"
            )

    def _find_range(self, start: float, duration: float | None) -> TimeRange:
        # A broadcast's clock starts anywhere; every other file's clock starts at 0.
        first = Fraction(start).limit_denominator(10**6)
        if is_broadcast(self.container):
            first += Fraction(self.container.start_time or 0, av.time_base)
        last = None
        if duration is not None:
            last = first + Fraction(duration).limit_denominator(10**6)
        if start > 0:
            try:
                self.container.seek(int(first * av.time_base))
            except av.FFmpegError:  # not seekable: read and drop what comes before
                self.container.seek(0)
        return TimeRange(first, last, from_the_start=start <= 0)

    def _count(self) -> int | None:
        rate = self.video.guessed_rate
        if self.video.frames and self._range.from_the_start and self._range.stop is None:
            return self.video.frames
        end = stated_end(self.container)
        if end is None or not rate:
            return None
        if self._range.stop is not None:
            end = min(end, self._range.stop)
        return max(1, round((end - self._range.start) * rate))

    def _up_to_a_picture(self) -> list[Item]:
        items: list[Item] = []
        for item in self._stream:
            items.append(item)
            if isinstance(item, Picture):
                return items
        where = "" if self._range.from_the_start else f" from {float(self._range.start):g} s on"
        raise self._error(f"there is no frame that can be decoded{where}")

    def _items(self) -> Generator[Item, None, None]:
        ending = EndCheck(self._path, self.container, self.video)
        going = {s.index for s in self.container.streams if s.type in ("audio", "video")}
        for packet in self._packets():
            ending.watch(packet)
            if packet.stream is self.video and self._decoder is not None:
                yield from self._pictures(self._decoder.decode(packet))
            if packet.dts is not None and self._range.is_over(packet.dts, packet.time_base):
                going.discard(packet.stream.index)
                if not going:
                    if self._decoder is not None:
                        yield from self._pictures(self._decoder.decode(Packet()))
                    return
            if packet.stream is not self.video and packet.size and self._range.take(packet):
                yield packet
        self._check_end(ending)

    def _check_end(self, ending: EndCheck) -> None:
        if self._range.stop is None:
            missing = ending.error()
            if missing:
                raise self._error(f"{missing}. Take what is there with --duration")
            self._end_note = ending.note()

    def _packets(self, *streams: VideoStream) -> Iterator[Packet]:
        try:
            yield from self.container.demux(*streams)
        except av.FFmpegError as error:
            raise self._error(f"broken or cut off ({error.strerror})") from error

    def _pictures(self, frames: Iterable[DecodedFrame]) -> Iterator[Picture]:
        """The frames within the range, as RGB."""
        assert self.video.time_base is not None
        for decoded in frames:
            time = self._range.time(decoded.time, self.video.time_base)
            if time is not None:
                decoded = decoded._replace(time=time)
                if self._is_wanted(decoded):
                    if time >= self._count_from:
                        self.broken += decoded.broken
                        self.moved += decoded.moved
                    yield self._picture(decoded)

    def _picture(self, decoded: DecodedFrame) -> Picture:
        frame = decoded.frame
        if not hasattr(self, "properties"):
            self._read_properties(frame)
        rgb = self.properties.orientation.shown(self._colours.rgb(frame))
        return Picture(rgb, decoded.time, decoded.duration)

    def _read_properties(self, first: VideoFrame) -> None:
        try:
            self._colours = FrameToRgb(first)
        except ColourError as error:
            raise self._error(str(error)) from error
        self._interlaced = first.interlaced_frame
        average, video = self.video.average_rate, self.video
        assert video.time_base is not None
        self.properties = VideoProperties(
            time_base=video.time_base,
            rate=video.guessed_rate or average or Fraction(25),
            steady=average == video.base_rate,
            colour=self._colours.colour,
            pixel_shape=video.sample_aspect_ratio or Fraction(1),
            matrix=display_matrix(first),
            metadata=_lasting(self.container.metadata),
            stream_metadata=_lasting(video.metadata),
            chapters=self._range.chapters(self.container.chapters()),
        )
        shape = (first.height, first.width)
        self.height, self.width = shape[::-1] if self.properties.orientation.swapped else shape

    def _error(self, reason: str) -> VideoReadError:
        return VideoReadError(f"{self._path}: {reason}")


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """Opens a file and finds the stream that is its picture.

    Raises:
      VideoReadError: no such file, not a video, or one that FFmpeg here cannot decode.
    """
    if path.exists() and not path.is_file():
        # Opening a pipe would wait for ever.
        kind = "a folder" if path.is_dir() else "a pipe or device"
        raise VideoReadError(f"{path}: {kind}, not a file")
    try:
        # With "file:" before it, a name with a colon is not taken for a protocol.
        container = av.open(f"file:{path}", options=_OPTIONS, metadata_errors=TAG_ERRORS)
    except FileNotFoundError as error:
        reason = "a link to nothing" if path.is_symlink() else "there is no such file"
        raise VideoReadError(f"{path}: {reason}") from error
    except av.FFmpegError as error:
        raise VideoReadError(f"{path}: {_what_it_is(path, error)}") from error
    try:
        return container, _find_picture(container, path)
    except BaseException:
        container.close()
        raise


def _what_it_is(path: Path, error: av.FFmpegError) -> str:
    try:
        with path.open("rb") as stream:
            head = stream.read(12)
    except OSError as unreadable:
        return f"cannot be read ({unreadable.strerror})"
    if not head:
        return "an empty file"
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return "cut off or broken: its table of contents, which comes last, is missing"
    if isinstance(error, av.ArgumentError):  # what FFmpeg raises for a format outside the list
        return "not in a container format that is read here (MP4, Matroska, AVI, MPEG, WMV, ...)"
    return f"not a video that FFmpeg can read ({error.strerror})"


def _find_picture(container: InputContainer, path: Path) -> VideoStream:
    # A cover is a still picture, not the video.
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        kinds = sorted({_KINDS.get(stream.type, stream.type) for stream in container.streams})
        only = f", only {' and '.join(kinds)}" if kinds else ": it is empty but for its header"
        raise VideoReadError(f"{path}: there is no video in it{only}")
    best = container.streams.best("video")
    stream = next((s for s in moving if best is not None and s.index == best.index), moving[0])
    if stream.codec_context is None:
        raise VideoReadError(f"{path}: FFmpeg here cannot decode its picture")
    return stream


def misnamed(path: Path, container: InputContainer) -> str | None:
    """A note if a file's kind is not the one its name says. It is read all the same."""
    stated = CONTAINERS.get(path.suffix.lower())
    names = container.format.name.split(",")
    if stated is None or stated.muxer in names:
        return None
    return f"named like {stated.muxer}, but it is {container.format.long_name}"


def _lasting(tags: dict[str, str]) -> dict[str, str]:
    """The tags that are true of any version of a video."""
    lasting = {n: value for n, value in tags.items() if not n.upper().startswith(_OUTDATED)}
    # MP4's demuxer gives some tags twice, such as "location" and "location-eng".
    doubles = {n for n in lasting if lasting[n] == lasting.get(n.partition("-")[0]) and "-" in n}
    return {n: value for n, value in lasting.items() if n not in doubles}


@dataclass(frozen=True)
class TimeRange:
    """The part of a video that is taken, in seconds on the file's own clock.

    Attributes:
      start: becomes time 0.
      stop: the first moment that is left out; None is the end.
      from_the_start: nothing before `start` is left out. Sound may begin a little before the
        picture, because its decoder needs some packets before the first that is heard.
    """

    start: Fraction = Fraction(0)
    stop: Fraction | None = None
    from_the_start: bool = True

    def time(self, ticks: int, base: Fraction) -> int | None:
        """A time counted from the start, in the same ticks; None if it is outside."""
        if not self.from_the_start and ticks * base < self.start:
            return None
        if self.is_over(ticks, base):
            return None
        return ticks - round(self.start / base)

    def is_over(self, ticks: int, base: Fraction) -> bool:
        """Whether that time is past the end."""
        return self.stop is not None and ticks * base >= self.stop

    def take(self, packet: Packet) -> bool:
        """Counts a packet's times from the start; returns False if it is outside.

        A subtitle that began earlier is shown from the start on. A cover has no time.
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
        """The chapters within the range, as PyAV gives them, cut to it."""
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
