"""Writes a video file: pictures encoded, other streams beside them, and all the header says."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av import Packet
from av.codec.context import Flags
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from wbc_tf.video.colour import Colour, RgbToFrame
from wbc_tf.video.formats import CODECS, TAG_ERRORS, Container, encoder_options
from wbc_tf.video.frames import UPRIGHT, Picture, VideoProperties, display_matrix
from wbc_tf.video.streams import OtherStreams

_MP4 = ("mp4", "mov")

# The tags that every player finds in MP4. Any other tag needs a list of keys, which fewer players
# know, and which excludes a cover.
_MP4_TAGS = {
    *("title", "artist", "album_artist", "composer", "album", "date", "comment", "genre"),
    *("copyright", "grouping", "lyrics", "description", "synopsis", "show", "episode_id"),
    *("network", "keywords", "creation_time", "location"),
}


_GLOBALHEADER = 0x40  # FFmpeg's AVFMT_GLOBALHEADER
#: With B frames x265 decodes this many pictures ahead. It measures that time between its first and
#: its third picture; in a shorter video the times of decoding are undefined.
_X265_DELAY = 2
_RANGES = {1: "limited", 2: "full"}


class VideoWriter:
    """A video file that is being written. It is complete after the ``with`` block, without error.

    Attributes:
      properties: what the file is meant to say of itself.
      decoding_delay: number of packets that were decoded before the time of the first frame: some
        where B frames are stored in another order than they are shown, else 0.
    """

    def __init__(
        self,
        path: Path,
        container: Container,
        properties: VideoProperties,
        *,
        height: int,
        width: int,
        codec: str,
        crf: int | None = None,
        preset: str = "medium",
        streams: Sequence[Stream] = (),
        is_segment: bool = False,
    ) -> None:
        """Creates the file and writes its header.

        Args:
          path: the file, whatever its ending.
          container: its kind.
          properties: what to keep.
          height: of the pictures as players show them, in pixels.
          width: of the pictures as players show them, in pixels.
          codec: one of the container's.
          crf: quality, see `encoder_options`.
          preset: speed, see `encoder_options`.
          streams: an open file's streams, to be copied.
          is_segment: write the pictures alone, as NUT, which keeps all times exact. Such segments
            are joined into a file of the given container later, see `wbc_tf.video.segments`.
        """
        self.properties = properties
        self._notes: list[str] = []
        self._container = container
        if properties.orientation != UPRIGHT and not container.stores_rotation:
            self._store_upright()
        self._orientation = self.properties.orientation
        if self._orientation.swapped:
            height, width = width, height
        if self.properties.pixel_shape != 1 and not (
            container.stores_pixel_shape or CODECS[codec].stores_pixel_shape
        ):
            height, width = self._make_pixels_square(height, width)

        covers = any(s.disposition & Disposition.attached_pic for s in streams)
        self._is_segment = is_segment
        self._has_times = is_segment or container.stores_times
        self._out = av.open(
            f"file:{path}",
            "w",
            format="nut" if is_segment else container.muxer,
            options=self._muxer_options(covers),
            metadata_errors=TAG_ERRORS,
        )
        try:
            self._video = self._add_video(codec, crf, preset, height, width)
            self._others = OtherStreams(streams, self._out, container)
            if not is_segment:
                self._out.metadata.update(properties.metadata)
                self._out.set_chapters(list(properties.chapters))
            with _quiet_svt():
                self._out.start_encoding()
        except BaseException:
            self._abandon()
            raise
        self._ticks = self._video.codec_context.time_base
        self._usual = max(1, round(1 / (properties.rate * self._ticks)))
        self._held: Picture | None = None
        self._pictures = 0
        self.decoding_delay = 0
        self._first_time: int | None = None
        self._first_slot: int | None = None
        self._last = -1
        self._off = Fraction(0)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            if self._held is not None:
                self._encode(self._held)
                self._mux(self._last_packets())
            for packet in self._others.flush():
                self._out.mux(packet)
            self._out.close()
        except BaseException:
            self._abandon()
            raise
        if self._off:
            self._notes.append(
                f"frames moved by up to {float(1000 * self._off):.0f} ms: {self._container.muxer} "
                "has one rate and no times"
            )

    @property
    def notes(self) -> list[str]:
        """Where the file differs from what was asked for, each a phrase for people."""
        return [*self._notes, *self._others.notes]

    def write_picture(self, picture: Picture) -> None:
        """Encodes the next frame; its time is in ticks of the properties' time base."""
        # A frame lasts until the next one. The source's own duration is used for the last frame
        # only: where frames are stored in another order, FFmpeg exchanges their durations.
        if self._held is not None:
            self._encode(replace(self._held, duration=picture.time - self._held.time))
        self._held = picture

    def write_encoded(self, packet: Packet) -> None:
        """Writes a packet of a segment's picture, in place of `write_picture`.

        Its times and duration are in ticks of the properties' time base.
        """
        packet.stream, packet.time_base = self._video, self.properties.time_base
        if not self._has_times:
            assert packet.pts is not None
            packet.pts = packet.dts = self._slot(packet.pts * self.properties.time_base)
            packet.time_base, packet.duration = self._ticks, 1
        self._out.mux(packet)

    @property
    def codec_header(self) -> bytes:
        """The codec's part of the file's header; empty where pictures repeat it."""
        return bytes(self._video.codec_context.extradata or b"")

    def write_packet(self, packet: Packet) -> None:
        """Copies or converts a packet of one of the `streams`."""
        index = packet.stream.index
        for written in self._others.packets(packet):
            try:
                self._out.mux(written)
            except av.InvalidDataError:  # such as AAC of a broadcast whose header is damaged
                self._others.count_lost(index)

    def _encode(self, picture: Picture) -> None:
        frame = self._to_frame.frame(self._orientation.stored(picture.rgb))
        frame.time_base = self._ticks
        if self._has_times:
            frame.pts, frame.duration = picture.time, picture.duration or self._usual
        else:
            frame.pts, frame.duration = self._slot(picture.time * self.properties.time_base), 1
        if self._first_time is None:
            self._first_time = frame.pts
        self._pictures += 1
        self._mux(self._video.encode(frame))

    def _last_packets(self) -> list[Packet]:
        packets = self._video.encode(None)
        if self._x265_delays and self._pictures <= _X265_DELAY:
            for packet in packets:
                assert packet.pts is not None
                packet.dts = packet.pts - _X265_DELAY * self._usual
        return packets

    def _mux(self, packets: list[Packet]) -> None:
        for packet in packets:
            if packet.dts is not None and self._first_time is not None:
                self.decoding_delay += packet.dts < self._first_time
        self._out.mux(packets)

    def _store_upright(self) -> None:
        shape = self.properties.pixel_shape
        self.properties = replace(
            self.properties,
            matrix=None,
            pixel_shape=1 / shape if self.properties.orientation.swapped else shape,
        )
        self._notes.append(
            f"stored upright: {self._container.muxer} cannot tell players to turn the picture"
        )

    def _make_pixels_square(self, height: int, width: int) -> tuple[int, int]:
        """The size at which square pixels show the same; enlarged, so that no detail is lost."""
        shape = self.properties.pixel_shape
        self.properties = replace(self.properties, pixel_shape=Fraction(1))
        self._notes.append(
            f"pixels of {shape.numerator}:{shape.denominator} made square: "
            f"{self._container.muxer} does not tell their shape"
        )
        return (height, round(width * shape)) if shape > 1 else (round(height / shape), width)

    def _muxer_options(self, covers: bool) -> dict[str, str]:
        if self._is_segment or self._container.muxer not in _MP4:
            # Without this, all times are moved by the few milliseconds that sound may begin before
            # the picture.
            return {"avoid_negative_ts": "disabled"}
        options = {"video_track_timescale": str(self.properties.time_base.denominator)}
        if not self.properties.metadata.keys() <= _MP4_TAGS and not covers:
            options["movflags"] = "use_metadata_tags"
        return options

    def _add_video(
        self, codec: str, crf: int | None, preset: str, height: int, width: int
    ) -> VideoStream:
        kind, times = CODECS[codec], self._container.stores_times
        # MP4 derives a file's duration from the order of storing. With B frames and uneven frame
        # lengths that is wrong. AVI cannot hold B frames, since it has no times.
        b_frames = times and (self.properties.steady or self._container.muxer not in _MP4)
        self._x265_delays = codec == "hevc" and b_frames
        stream = self._out.add_stream(
            kind.encoder,
            rate=self.properties.rate,
            options=encoder_options(codec, crf=crf, preset=preset, b_frames=b_frames),
        )
        assert isinstance(stream, VideoStream)
        odd = height % 2 or width % 2
        pixels = kind.odd_pixels if odd else kind.pixels
        if pixels != kind.pixels:
            self._notes.append(
                f"{width}x{height} is an odd size, which {codec} stores with full chroma only: "
                "some players do not know that"
            )
        self._to_frame = RgbToFrame(
            self.properties.colour, pixel_format=pixels, height=height, width=width
        )
        colour = self._to_frame.colour
        self.properties = replace(self.properties, colour=colour)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, pixels
        context.time_base = (
            self.properties.time_base if self._has_times else 1 / self.properties.rate
        )
        context.sample_aspect_ratio = self.properties.pixel_shape
        context.colorspace, context.color_range = colour.matrix, colour.range
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer
        context.flags |= Flags.frame_duration
        if self._is_segment:
            # With a header once for all, or repeated with the pictures: as the final file has it.
            if not _stores_codec_header(self._container):
                context.flags &= ~Flags.global_header
        elif kind.tag and self._container.muxer in _MP4:
            context.codec_tag = kind.tag
        stream.metadata.update(self.properties.stream_metadata)
        if self.properties.matrix is not None and self._container.stores_rotation:
            stream.set_display_matrix(self.properties.matrix)
        return stream

    def _slot(self, time: Fraction) -> int:
        """The frame number for a file that only counts its frames; the first is 0."""
        wanted = time / self._ticks
        if self._first_slot is None:
            self._first_slot = round(wanted)
        slot = max(round(wanted) - self._first_slot, self._last + 1)
        # Less than half a frame is rounding; more is reported.
        off = abs(wanted - slot) * self._ticks
        if off >= self._ticks / 2:
            self._off = max(self._off, off)
        self._last = slot
        return slot

    def _abandon(self) -> None:
        # The file is thrown away, so errors of closing it do not matter.
        with contextlib.suppress(av.FFmpegError, OSError, ValueError):
            self._out.close()


def _stores_codec_header(container: Container) -> bool:
    """Whether the container stores the codec's header once, and not with the pictures."""
    return bool(av.ContainerFormat(container.muxer, "w").flags & _GLOBALHEADER)


@contextlib.contextmanager
def _quiet_svt() -> Iterator[None]:
    """Within, SVT-AV1 reports errors only. It writes straight to stderr; FFmpeg cannot stop it."""
    if "SVT_LOG" in os.environ:
        yield
        return
    os.environ["SVT_LOG"] = "1"
    try:
        yield
    finally:
        del os.environ["SVT_LOG"]


def lost_properties(path: Path, properties: VideoProperties) -> list[str]:
    """Compares a finished file's header and first frame with what it was meant to say.

    Returns:
      What the container did not keep, each a phrase for people.
    """
    with av.open(f"file:{path}", metadata_errors=TAG_ERRORS) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        tags = {name.lower(): value for name, value in container.metadata.items()}
        chapters = container.chapters()
        shape = stream.sample_aspect_ratio or 1
    lost = []
    missing = sorted(n for n, value in properties.metadata.items() if tags.get(n.lower()) != value)
    if missing:
        lost.append(f"tags that are not kept: {', '.join(missing)}")
    if len(chapters) != len(properties.chapters):
        lost.append("chapters are not kept")
    if shape != properties.pixel_shape:
        lost.append(f"the pixels' shape ({properties.pixel_shape}) is not kept")
    if display_matrix(frame) != properties.matrix:
        lost.append("that players are to turn the picture is not kept")
    kept = Colour(frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc)
    unstated = asdict(Colour())
    colours = [
        f"{name} ({_RANGES.get(value, value) if name == 'range' else value})"
        for name, value in asdict(properties.colour).items()
        if value not in (unstated[name], getattr(kept, name))
    ]
    if colours:
        lost.append(f"colour tags that are not kept: {', '.join(colours)}")
    return lost
