"""A video file as it is read: its frames as RGB, all else packet by packet, in the file's order."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Union

import av
from av import Packet, VideoFrame

from wbc_tf.files import PathLike
from wbc_tf.video.colour import ColourError, Reader
from wbc_tf.video.decoder import Decoder, Shown
from wbc_tf.video.ending import Ending
from wbc_tf.video.form import Form, Picture
from wbc_tf.video.opening import VideoReadError, is_broadcast, misnamed, open_video
from wbc_tf.video.orientation import display_matrix
from wbc_tf.video.span import Span

#: What a clip consists of.
Item = Union[Picture, Packet]

# Tags that tell of the old file's bytes, or of what wrote them.
_OUTDATED = (
    *("MAJOR_BRAND", "MINOR_VERSION", "COMPATIBLE_BRANDS", "ENCODER", "SOFTWARE", "HANDLER_NAME"),
    *("VENDOR_ID", "DURATION", "BPS", "NUMBER_OF_", "_STATISTICS_"),
)


class Clip:
    """An open video.

    Attributes:
      form: what a result has to stay true to.
      height: of the pictures as people see them, in pixels.
      width: the same.
      frames: how many there will be, as far as the file says; else None.
      container: for whoever copies its other streams.
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
          start: seconds to leave out at its beginning; what follows is counted from there.
          duration: seconds to take; None takes the rest.
          max_pixels: refuse larger frames.

        Raises:
          VideoReadError: no video, a broken one or one that we cannot show as it is meant.
        """
        self._path = Path(path)
        self.container, self.video = open_video(self._path)
        try:
            self._refuse_size(max_pixels)
            self._span = self._find_span(start, duration)
            self.frames = self._count()
            self._decoder = Decoder(self.video)
            self._stream = self._items()
            # The first frame tells what no header does: colours, rotation, and that there is one.
            self._head = self._up_to_a_picture()
        except BaseException:
            self.container.close()
            raise

    def __enter__(self) -> Clip:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.container.close()

    def items(self) -> Generator[Item, None, None]:
        """All there is, once: frames in the order they are shown, other streams' packets between.

        Raises:
          VideoReadError: the file ends too early, or makes no sense any more.
        """
        head, self._head = self._head, []
        yield from itertools.chain(head, self._stream)

    @property
    def notes(self) -> list[str]:
        """What was lost in reading so far, each a phrase for people."""
        notes = [*self._reader.notes]
        other = misnamed(self._path, self.container)
        if other:
            notes.append(other)
        if self._decoder.broken:
            notes.append(f"{self._decoder.broken} broken frames: the one before each is repeated")
        if self._decoder.moved:
            notes.append(f"{self._decoder.moved} frames whose time ran backwards were moved")
        if self._interlaced:
            notes.append("interlaced: both fields are drawn as one picture")
        return notes

    def _refuse_size(self, max_pixels: int | None) -> None:
        width, height = self.video.codec_context.width, self.video.codec_context.height
        if max_pixels is not None and width * height > max_pixels:
            raise self._error(
                f"frames of {width} x {height} are too many pixels, the limit is "
                f"{max_pixels / 1e6:g} million. Raise it (--max_megapixels) if you trust the file"
            )

    def _find_span(self, start: float, duration: float | None) -> Span:
        # A broadcast counts from anywhere; a file of its own is to begin at 0.
        first = Fraction(start).limit_denominator(10**6)
        if is_broadcast(self.container):
            first += Fraction(self.container.start_time or 0, av.time_base)
        last = None
        if duration is not None:
            last = first + Fraction(duration).limit_denominator(10**6)
        if start > 0:
            try:
                self.container.seek(int(first * av.time_base))
            except av.FFmpegError:  # then we read up to there
                self.container.seek(0)
        return Span(first, last, from_the_start=start <= 0)

    def _count(self) -> int | None:
        rate = self.video.guessed_rate
        if self.video.frames and self._span.from_the_start and self._span.stop is None:
            return self.video.frames
        if self.container.duration is None or not rate:
            return None
        end = Fraction((self.container.start_time or 0) + self.container.duration, av.time_base)
        if self._span.stop is not None:
            end = min(end, self._span.stop)
        return max(1, round((end - self._span.start) * rate))

    def _up_to_a_picture(self) -> list[Item]:
        items: list[Item] = []
        for item in self._stream:
            items.append(item)
            if isinstance(item, Picture):
                return items
        where = "" if self._span.from_the_start else f" from {float(self._span.start):g} s on"
        raise self._error(f"there is no frame that can be decoded{where}")

    def _items(self) -> Generator[Item, None, None]:
        ending = Ending(self.container, self.video)
        going = {s.index for s in self.container.streams if s.type in ("audio", "video")}
        for packet in self._packets():
            ending.watch(packet)
            if packet.stream is self.video:
                yield from map(self._picture, self._within(self._decoder.decode(packet)))
            if packet.dts is not None and self._span.is_over(packet.dts, packet.time_base):
                going.discard(packet.stream.index)
                if not going:
                    yield from map(self._picture, self._within(self._decoder.decode(Packet())))
                    return
            if packet.stream is not self.video and packet.size and self._span.take(packet):
                yield packet
        missing = ending.missing()
        if missing and self._span.stop is None:
            raise self._error(f"{missing}. What is there can be had by --duration")

    def _packets(self) -> Iterator[Packet]:
        try:
            yield from self.container.demux()
        except av.FFmpegError as error:
            raise self._error(f"broken or cut off ({error.strerror})") from error

    def _within(self, frames: Iterator[Shown]) -> Iterator[Shown]:
        assert self.video.time_base is not None
        for shown in frames:
            time = self._span.time(shown.time, self.video.time_base)
            if time is not None:
                yield shown._replace(time=time)

    def _picture(self, shown: Shown) -> Picture:
        frame = shown.frame
        if not hasattr(self, "form"):
            self._look_at(frame)
        rgb = self.form.orientation.shown(self._reader.rgb(frame))
        return Picture(rgb, shown.time, shown.duration)

    def _look_at(self, first: VideoFrame) -> None:
        try:
            self._reader = Reader(first)
        except ColourError as error:
            raise self._error(str(error)) from error
        self._interlaced = first.interlaced_frame
        average, video = self.video.average_rate, self.video
        assert video.time_base is not None
        self.form = Form(
            time_base=video.time_base,
            rate=video.guessed_rate or average or Fraction(25),
            steady=average == video.base_rate,
            colour=self._reader.colour,
            pixel_shape=video.sample_aspect_ratio or Fraction(1),
            matrix=display_matrix(first),
            metadata=_lasting(self.container.metadata),
            stream_metadata=_lasting(video.metadata),
            chapters=self._span.chapters(self.container.chapters()),
        )
        shape = (first.height, first.width)
        self.height, self.width = shape[::-1] if self.form.orientation.swapped else shape

    def _error(self, reason: str) -> VideoReadError:
        return VideoReadError(f"{self._path}: {reason}")


def _lasting(tags: dict[str, str]) -> dict[str, str]:
    """The tags that are true of any version of a video."""
    lasting = {n: value for n, value in tags.items() if not n.upper().startswith(_OUTDATED)}
    # MP4's demuxer gives some twice, as "location" and "location-eng".
    doubles = {n for n in lasting if lasting[n] == lasting.get(n.partition("-")[0]) and "-" in n}
    return {n: value for n, value in lasting.items() if n not in doubles}
