"""The streams beside the picture: sound, subtitles, fonts, covers and data.

A packet is copied unchanged where the new container allows it. Otherwise the stream is converted,
or left out; in both cases there is a note that names it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import av
from av import Packet
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet
from av.video.stream import VideoStream

from wbc_tf.video.formats import TAG_ERRORS, Container

# Bits per second and channel for sound that is encoded again: hard to tell from the source.
_SOUND_BITS = 128_000
# Encoders that accept few sample rates, and a rate that all of them accept.
_FEW_RATES, _COMMON_RATE = ("libopus", "ac3"), 48_000
# The usual layout for a number of channels. Encoders need one, and MP4 needs one with a name.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
_MOST_CHANNELS = {"ac3": 6}
# Codecs whose sound is stored frame by frame, with an encoder for each.
_FRAMED = {"mp3": "libmp3lame", "mp3float": "libmp3lame", "mp2": "mp2", "ac3": "ac3"}


class StreamWriter:
    """Writes one stream of the source into the new file; the subclasses say how.

    Attributes:
      lost: number of packets that could not be decoded, or that the muxer refused as broken.
      moved: number of packets whose time ran backwards and was corrected.
    """

    def __init__(self, source: Stream, out: Stream) -> None:
        self.lost = 0
        self.moved = 0
        self._out = out
        out.metadata.update(source.metadata)
        out.disposition = source.disposition

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """The packets to write for one packet of the source."""
        raise NotImplementedError

    def flush(self) -> Iterator[Packet]:
        """The packets to write after the last one of the source."""
        yield from ()


class CopiedStream(StreamWriter):
    """Copies each packet unchanged."""

    def __init__(self, source: Stream, target: OutputContainer) -> None:
        super().__init__(source, _add_copy(source, target))
        # Muxers refuse a time that runs backwards. Matroska's allows two packets at the same time,
        # which happens there because its times are whole milliseconds.
        self._step = 0 if target.format.name in ("matroska", "webm") else 1
        self._last: int | None = None

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """The packet itself."""
        # An empty MP4 subtitle ends the one before. MP4's muxer writes those by itself.
        if _codec(packet.stream) == "mov_text" and bytes(packet) == b"\0\0":
            return
        dts = packet.dts
        if packet.stream.type == "audio" and dts is not None:
            if self._last is not None and dts < self._last + self._step:
                self.moved += 1
                dts = packet.dts = self._last + self._step
                packet.pts = max(packet.pts or dts, dts)
            self._last = dts
        packet.stream = self._out
        yield packet


class EncodedSound(StreamWriter):
    """Decodes sound and encodes it again."""

    def __init__(self, source: AudioStream, target: OutputContainer, encoder: str) -> None:
        self._in = source
        rate = _COMMON_RATE if encoder in _FEW_RATES else source.rate
        channels = min(source.channels, _MOST_CHANNELS.get(encoder, max(_LAYOUTS)))
        out = target.add_stream(encoder, rate=rate, layout=_LAYOUTS[channels])
        assert isinstance(out, AudioStream)
        out.bit_rate = _SOUND_BITS * channels
        self._encoder = out
        super().__init__(source, out)

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """The encoder's packets that are ready."""
        try:
            frames = self._in.decode(packet)
        except av.FFmpegError:
            self.lost += 1
            return
        for frame in frames:
            yield from self._encoder.encode(frame)

    def flush(self) -> Iterator[Packet]:
        """What decoder and encoder still hold."""
        for frame in self._in.decode(None):
            yield from self._encoder.encode(frame)
        yield from self._encoder.encode(None)


class ConvertedSubtitles(StreamWriter):
    """Converts subtitles from one text format to another."""

    def __init__(self, source: SubtitleStream, target: OutputContainer, encoder: str) -> None:
        self._in = source
        out = target.add_stream(encoder)
        assert isinstance(out, SubtitleStream)
        assert source.time_base is not None
        out.codec_context.subtitle_header = text_styles(source)
        # The encoder sets no time base. With the source's, times stay as exact as the muxer allows.
        out.time_base = out.codec_context.time_base = source.time_base
        self._encoder = out.codec_context
        super().__init__(source, out)

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """One packet for each line of text."""
        try:
            lines = self._in.decode(packet)
        except av.FFmpegError:
            self.lost += 1
            return
        for line in lines:
            if isinstance(line, AssSubtitle):
                text = SubtitleSet.create(
                    line.ass, start=0, end=packet.duration or 0, pts=packet.pts or 0
                )
                coded = self._encoder.encode_subtitle(text)
                coded.stream, coded.time_base = self._out, packet.time_base
                yield coded


class OtherStreams:
    """All streams of a video beside its picture, on their way into the new file."""

    def __init__(
        self, streams: Sequence[Stream], target: OutputContainer, container: Container
    ) -> None:
        """Adds a stream to `target` for each one that its container can hold.

        Args:
          streams: the source's, without its picture.
          target: the new file; nothing may have been written to it yet.
          container: the new file's kind.
        """
        self._target, self._container = target, container
        self._notes: list[str] = []
        self._writers: dict[int, tuple[str, StreamWriter]] = {}
        for stream in streams:
            writer = self._add(stream)
            if writer is not None:
                self._writers[stream.index] = _describe(stream), writer

    @property
    def notes(self) -> list[str]:
        """What was converted, damaged or left out so far, each a phrase for people."""
        notes = [*self._notes]
        for name, writer in self._writers.values():
            if writer.lost:
                notes.append(f"{name}: {writer.lost} broken packets left out")
            if writer.moved:
                notes.append(f"{name}: {writer.moved} packets whose time ran backwards were moved")
        return notes

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """The packets to write for one of the source; none if its stream was left out."""
        if packet.stream.index in self._writers:
            yield from self._writers[packet.stream.index][1].packets(packet)

    def count_lost(self, index: int) -> None:
        """Counts a packet of a source's stream that the muxer refused as broken."""
        self._writers[index][1].lost += 1

    def flush(self) -> Iterator[Packet]:
        """The packets to write after the last one of the source."""
        for _, writer in self._writers.values():
            yield from writer.flush()

    def _add(self, stream: Stream) -> StreamWriter | None:
        muxer, name, codec = self._container.muxer, _describe(stream), _codec(stream)
        if stream.disposition & Disposition.attached_pic:
            return self._add_cover(stream)
        if stream.type == "data" and (codec == "bin_data" or "timecode" in stream.metadata):
            # MP4 keeps chapters and the timecode in tracks of their own. The muxer makes new ones
            # from the file's chapters and the picture's tag.
            return None
        if isinstance(stream, VideoStream):
            self._notes.append(f"{name} lost: only one is drawn")
            return None
        if _can_hold(self._container, stream):
            return CopiedStream(stream, self._target)
        decodes = stream.codec_context is not None
        # Damaged sound may state no channels.
        if isinstance(stream, AudioStream) and decodes and stream.channels:
            sound = self._container.sound
            self._notes.append(
                f"{name} stored as {sound.removeprefix('lib')}: {muxer} cannot store it as it is"
            )
            return EncodedSound(stream, self._target, sound)
        text = self._container.subtitles
        if isinstance(stream, SubtitleStream) and decodes and text and text_styles(stream):
            self._notes.append(f"{name} stored as {text}: {muxer} cannot store it as it is")
            return ConvertedSubtitles(stream, self._target, text)
        self._notes.append(f"{name} lost: {muxer} cannot store it")
        return None

    def _add_cover(self, stream: Stream) -> StreamWriter | None:
        if self._container.muxer in ("mp4", "mov"):
            return CopiedStream(stream, self._target)
        if self._container.stores_attachments:
            # By the demuxer that opened it before: the first of several names for the same one.
            kind = stream.container.format.name.split(",")[0]
            with av.open(stream.container.name, format=kind, metadata_errors=TAG_ERRORS) as again:
                picture = bytes(next(again.demux(again.streams[stream.index])))
            kind = "png" if _codec(stream) == "png" else "jpeg"
            self._target.add_attachment(f"cover.{kind}", f"image/{kind}", picture)
        else:
            self._notes.append(f"cover lost: {self._container.muxer} cannot store it")
        return None


def text_styles(stream: SubtitleStream) -> bytes | None:
    """The header with fonts and colours that text subtitles have; None for pictures."""
    stream.codec_context.open(strict=False)
    return stream.codec_context.subtitle_header


def _can_hold(container: Container, stream: Stream) -> bool:
    """Asks the muxer itself, with a file of this stream alone that is written nowhere."""
    if stream.type == "attachment":
        return container.stores_attachments
    if stream.type == "data" and container.muxer == "avi":
        return False  # it accepts anything, but no player reads it
    try:
        with av.open(os.devnull, "w", format=container.muxer, metadata_errors=TAG_ERRORS) as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (ValueError, av.FFmpegError):
        return False
    return True


def _codec(stream: Stream) -> str:
    """FFmpeg's name of a stream's codec; empty where it does not know it."""
    return getattr(stream, "name", None) or ""


def _add_copy(stream: Stream, target: OutputContainer) -> Stream:
    codec = _codec(stream)
    if isinstance(stream, AudioStream) and target.format.name == "avi" and codec in _FRAMED:
        # Read from an AVI, these streams have a block size, which makes AVI's muxer count bytes
        # instead of frames. PyAV cannot remove it. An encoder, never used, has none.
        added = target.add_stream(
            _FRAMED[codec], rate=stream.rate, layout=_LAYOUTS[stream.channels]
        )
        assert isinstance(added, AudioStream)
        added.bit_rate = stream.bit_rate or _SOUND_BITS * stream.channels
        return added
    out = target.add_stream_from_template(stream, opaque=True)
    if isinstance(out, AudioStream) and out.layout.name.endswith("channels"):
        out.codec_context.layout = _LAYOUTS.get(out.channels, out.layout)
    return out


def _describe(stream: Stream) -> str:
    """A stream's name for people: kind, language, codec and number."""
    kind = {"audio": "sound", "subtitle": "subtitles", "video": "second picture"}
    language = stream.metadata.get("language", "und")
    codec = _codec(stream) or stream.metadata.get("handler_name", "unknown")
    words = [
        kind.get(stream.type, stream.type),
        "" if language == "und" else language,
        f"({codec}, stream {stream.index})",
    ]
    return " ".join(filter(None, words))
