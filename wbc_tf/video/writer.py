"""The new file: pictures encoded, other streams beside them, and all that the header says."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av import Packet
from av.codec.context import Flags
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from wbc_tf.video.codecs import CODECS, encoder_options
from wbc_tf.video.colour import Painter
from wbc_tf.video.containers import Container
from wbc_tf.video.form import Form, Picture
from wbc_tf.video.orientation import UPRIGHT
from wbc_tf.video.passengers import Passengers

_MP4 = ("mp4", "mov")

# What every player finds in MP4. Any other tag needs a list of keys instead, which fewer know, and
# beside which there is no place for a cover.
_MP4_TAGS = {
    *("title", "artist", "album_artist", "composer", "album", "date", "comment", "genre"),
    *("copyright", "grouping", "lyrics", "description", "synopsis", "show", "episode_id"),
    *("network", "keywords", "creation_time", "location"),
}

# SVT-AV1 tells its life on stderr, and FFmpeg cannot stop it.
os.environ.setdefault("SVT_LOG", "1")


class Writer:
    """A video file that is being written; leave it without an error to have it complete.

    Attributes:
      form: what the file is true to.
    """

    def __init__(
        self,
        path: Path,
        container: Container,
        form: Form,
        *,
        height: int,
        width: int,
        codec: str,
        crf: int | None = None,
        preset: str = "medium",
        streams: Sequence[Stream] = (),
    ) -> None:
        """Creates the file and writes its header.

        Args:
          path: where to, whatever it is called.
          container: of what kind.
          form: what to stay true to.
          height: of the pictures as people see them.
          width: the same.
          codec: one that the container has.
          crf: quality, see `encoder_options`.
          preset: speed, likewise.
          streams: of an open file, to take along.
        """
        self.form = form
        self._notes: list[str] = []
        self._container = container
        turned = form.orientation != UPRIGHT and not container.turns
        if turned:
            self._turn()
        self._orientation = self.form.orientation
        if self._orientation.swapped:
            height, width = width, height
        if self.form.pixel_shape != 1 and not (container.shapes or CODECS[codec].shapes):
            height, width = self._square(height, width)

        covers = any(s.disposition & Disposition.attached_pic for s in streams)
        self._out = av.open(
            f"file:{path}", "w", format=container.muxer, options=self._muxer_options(covers)
        )
        try:
            self._video = self._add_video(codec, crf, preset, height, width)
            self._passengers = Passengers(streams, self._out, container)
            self._out.metadata.update(form.metadata)
            self._out.set_chapters(list(form.chapters))
            self._out.start_encoding()
        except BaseException:
            self._abandon()
            raise
        self._ticks = self._video.codec_context.time_base
        self._usual = max(1, round(1 / (form.rate * self._ticks)))
        self._held: Picture | None = None
        self._first: int | None = None
        self._last = -1
        self._off = Fraction(0)

    def __enter__(self) -> Writer:
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
            self._out.mux(self._video.encode(None))
            for packet in self._passengers.rest():
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
        """Where the file is not what was asked for, each a phrase for people."""
        return [*self._notes, *self._passengers.notes]

    def draw(self, picture: Picture) -> None:
        """Takes the next frame; its time is in ticks of the form's time base."""
        # A frame lasts until the next one. What the source says of that is only good for the last:
        # where frames are stored in another order, FFmpeg gives them each other's durations.
        if self._held is not None:
            self._encode(replace(self._held, duration=picture.time - self._held.time))
        self._held = picture

    def _encode(self, picture: Picture) -> None:
        frame = self._painter.frame(self._orientation.stored(picture.rgb))
        frame.time_base = self._ticks
        if self._container.times:
            frame.pts, frame.duration = picture.time, picture.duration or self._usual
        else:
            frame.pts, frame.duration = self._slot(picture.time * self.form.time_base), 1
        self._out.mux(self._video.encode(frame))

    def carry(self, packet: Packet) -> None:
        """Writes what a packet of one of the `streams` becomes."""
        for carried in self._passengers.packets(packet):
            self._out.mux(carried)

    def _turn(self) -> None:
        shape = self.form.pixel_shape
        self.form = replace(
            self.form,
            matrix=None,
            pixel_shape=1 / shape if self.form.orientation.swapped else shape,
        )
        self._notes.append(
            f"stored upright: {self._container.muxer} cannot tell players to turn the picture"
        )

    def _square(self, height: int, width: int) -> tuple[int, int]:
        """The size at which square pixels show the same; enlarged, so that no detail is lost."""
        shape = self.form.pixel_shape
        self.form = replace(self.form, pixel_shape=Fraction(1))
        self._notes.append(
            f"pixels of {shape.numerator}:{shape.denominator} made square: "
            f"{self._container.muxer} does not tell their shape"
        )
        return (height, round(width * shape)) if shape > 1 else (round(height / shape), width)

    def _muxer_options(self, covers: bool) -> dict[str, str]:
        if self._container.muxer not in _MP4:
            # Else all times are moved by the few ms that sound may begin before the picture, to
            # warm its decoder up.
            return {"avoid_negative_ts": "disabled"}
        options = {"video_track_timescale": str(self.form.time_base.denominator)}
        if not self.form.metadata.keys() <= _MP4_TAGS and not covers:
            options["movflags"] = "use_metadata_tags"
        return options

    def _add_video(
        self, codec: str, crf: int | None, preset: str, height: int, width: int
    ) -> VideoStream:
        kind, times = CODECS[codec], self._container.times
        # MP4 takes a clip's duration from the times of storing; reordered, those of a clip without
        # a steady rate end elsewhere. AVI has no other times.
        reorder = times and (self.form.steady or self._container.muxer not in _MP4)
        stream = self._out.add_stream(
            kind.encoder,
            rate=self.form.rate,
            options=encoder_options(codec, crf=crf, preset=preset, reorder=reorder),
        )
        assert isinstance(stream, VideoStream)
        odd = height % 2 or width % 2
        pixels = kind.odd_pixels if odd else kind.pixels
        if pixels != kind.pixels:
            self._notes.append(
                f"{width}x{height} is an odd size, which {codec} stores with full chroma only: "
                "some players do not know that"
            )
        self._painter = Painter(self.form.colour, pixel_format=pixels, height=height, width=width)
        colour = self._painter.colour
        self.form = replace(self.form, colour=colour)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, pixels
        context.time_base = self.form.time_base if times else 1 / self.form.rate
        context.sample_aspect_ratio = self.form.pixel_shape
        context.colorspace, context.color_range = colour.matrix, colour.range
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer
        context.flags |= Flags.frame_duration
        if kind.tag and self._container.muxer in _MP4:
            context.codec_tag = kind.tag
        stream.metadata.update(self.form.stream_metadata)
        if self.form.matrix is not None and self._container.turns:
            stream.set_display_matrix(self.form.matrix)
        return stream

    def _slot(self, time: Fraction) -> int:
        """The next free place in a file that only counts its frames; the first is at 0."""
        wanted = time / self._ticks
        if self._first is None:
            self._first = round(wanted)
        slot = max(round(wanted) - self._first, self._last + 1)
        # A frame is there for as long as its slot; less than half of it is rounding.
        off = abs(wanted - slot) * self._ticks
        if off >= self._ticks / 2:
            self._off = max(self._off, off)
        self._last = slot
        return slot

    def _abandon(self) -> None:
        # What became of a file that is thrown away is of no interest.
        with contextlib.suppress(av.FFmpegError, OSError, ValueError):
            self._out.close()
