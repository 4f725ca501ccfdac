"""Three ways for a stream to travel: as it is, encoded again, or in another form of text."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av import Packet
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Stream
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

# Bits per second and channel: by ear the same as the source, and rarely needed.
_SOUND_BITS = 128_000
# Encoders that know few rates, and the one that all of them know.
_FEW_RATES, _COMMON_RATE = ("libopus", "ac3"), 48_000
# How so many channels are usually laid out. Encoders know no other ways, MP4 none without a name.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
_MOST_CHANNELS = {"ac3": 6}
# Sound that is stored frame by frame, and who encodes it.
_FRAMED = {"mp3": "libmp3lame", "mp3float": "libmp3lame", "mp2": "mp2", "ac3": "ac3"}


class Carrier:
    """What every way has in common.

    Attributes:
      lost: packets that could not be decoded.
      moved: packets whose time ran backwards, and was set to where it could go on.
    """

    def __init__(self, source: Stream, out: Stream) -> None:
        self.lost = 0
        self.moved = 0
        self._out = out
        out.metadata.update(source.metadata)
        out.disposition = source.disposition

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """What to write for a packet of the source."""
        raise NotImplementedError

    def rest(self) -> Iterator[Packet]:
        """What is still to be written after the last one."""
        yield from ()


class Copied(Carrier):
    """Packet for packet."""

    def __init__(self, source: Stream, target: OutputContainer) -> None:
        super().__init__(source, _copy_of(source, target))
        # Muxers refuse time that runs backwards. Only Matroska's lets it stand still, as that of
        # short packets does in its milliseconds.
        self._step = 0 if target.format.name in ("matroska", "webm") else 1
        self._last: int | None = None

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """The packet."""
        # MP4's subtitles say nothing in between, and its muxer puts that there by itself.
        if packet.stream.name == "mov_text" and bytes(packet) == b"\0\0":
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


class Recoded(Carrier):
    """Sound, decoded and encoded."""

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
        """What its sound becomes, as far as the encoder has enough of it."""
        try:
            frames = self._in.decode(packet)
        except av.FFmpegError:
            self.lost += 1
            return
        for frame in frames:
            yield from self._encoder.encode(frame)

    def rest(self) -> Iterator[Packet]:
        """What decoder and encoder still hold."""
        for frame in self._in.decode(None):
            yield from self._encoder.encode(frame)
        yield from self._encoder.encode(None)


class Reworded(Carrier):
    """Subtitles, from one form of text to another."""

    def __init__(self, source: SubtitleStream, target: OutputContainer, encoder: str) -> None:
        self._in = source
        out = target.add_stream(encoder)
        assert isinstance(out, SubtitleStream)
        assert source.time_base is not None
        out.codec_context.subtitle_header = styles(source)
        # The encoder's own is 0; that of the source keeps times exact as far as the muxer does.
        out.time_base = out.codec_context.time_base = source.time_base
        self._encoder = out.codec_context
        super().__init__(source, out)

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """A packet for each of its lines."""
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


def styles(stream: SubtitleStream) -> bytes | None:
    """What every form of text has once it is decoded, and no picture."""
    stream.codec_context.open(strict=False)
    return stream.codec_context.subtitle_header


def _copy_of(stream: Stream, target: OutputContainer) -> Stream:
    if isinstance(stream, AudioStream) and target.format.name == "avi" and stream.name in _FRAMED:
        # From an AVI these come with the size of a block, by which AVI's muxer then counts bytes
        # in place of frames; PyAV cannot take it away, but an encoder that is never used has none.
        added = target.add_stream(
            _FRAMED[stream.name], rate=stream.rate, layout=_LAYOUTS[stream.channels]
        )
        assert isinstance(added, AudioStream)
        added.bit_rate = stream.bit_rate or _SOUND_BITS * stream.channels
        return added
    out = target.add_stream_from_template(stream, opaque=True)
    if isinstance(out, AudioStream) and out.layout.name.endswith("channels"):
        out.codec_context.layout = _LAYOUTS.get(out.channels, out.layout)
    return out
