"""All that travels with the picture: sound, subtitles, fonts. Copied packet for packet if possible.

What the new container cannot carry is made into something that it can, or left behind; either way
there is a note that names it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Protocol

import av
from av import Packet
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

from wbc_tf.video.containers import Container

# Bits per second and channel: by ear the same as the source, and rarely needed.
_SOUND_BITS = 128_000
# Encoders that know few rates, and the one that all of them know.
_FEW_RATES, _COMMON_RATE = ("libopus", "ac3"), 48_000
# How so many channels are usually laid out. Encoders know no other ways, MP4 none without a name.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
_MOST_CHANNELS = {"ac3": 6}
# Sound that is stored frame by frame, and who encodes it.
_FRAMED = {"mp3": "libmp3lame", "mp3float": "libmp3lame", "mp2": "mp2", "ac3": "ac3"}


class _Passenger(Protocol):
    """A stream on its way."""

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """What to write for a packet of the source."""

    def rest(self) -> Iterator[Packet]:
        """What is still to be written after the last one."""


class Passengers:
    """The streams of one file beside its picture, on their way into another.

    Attributes:
      notes: who was changed or left behind, each a phrase for people.
    """

    def __init__(
        self, streams: Sequence[Stream], target: OutputContainer, container: Container
    ) -> None:
        """Adds a stream to `target`, which nothing was written to yet, for each that can go.

        Args:
          streams: of the source, the picture left out.
          target: where they go.
          container: of what kind that is.
        """
        self.notes: list[str] = []
        self._on_board: dict[int, _Passenger] = {}
        for stream in streams:
            passenger = self._board(stream, target, container)
            if passenger is not None:
                self._on_board[stream.index] = passenger

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """What to write for a packet of the source; nothing for one that was left behind."""
        passenger = self._on_board.get(packet.stream.index)
        if passenger is not None:
            yield from passenger.packets(packet)

    def rest(self) -> Iterator[Packet]:
        """What is still to be written after the last packet."""
        for passenger in self._on_board.values():
            yield from passenger.rest()

    def _board(
        self, stream: Stream, target: OutputContainer, container: Container
    ) -> _Passenger | None:
        if stream.disposition & Disposition.attached_pic:
            return self._board_cover(stream, target, container)
        if _goes_in(stream, container):
            return _Copied(stream, _copy_of(stream, target))
        if isinstance(stream, AudioStream):
            self.notes.append(
                f"{_name(stream)} stored as {container.sound.removeprefix('lib')}: "
                f"{container.muxer} cannot carry it as it is"
            )
            return _Recoded(stream, target, container.sound)
        if isinstance(stream, SubtitleStream) and container.subtitles and _is_text(stream):
            self.notes.append(
                f"{_name(stream)} stored as {container.subtitles}: {container.muxer} cannot carry "
                "it as it is"
            )
            return _Reworded(stream, target, container.subtitles)
        # MP4 keeps chapters and the timecode in tracks of their own, which its muxer makes anew.
        if stream.name != "bin_data" and "timecode" not in stream.metadata:
            self.notes.append(f"{_name(stream)} lost: {container.muxer} cannot carry it")
        return None

    def _board_cover(
        self, stream: Stream, target: OutputContainer, container: Container
    ) -> _Passenger | None:
        if container.muxer in ("mp4", "mov"):
            return _Copied(stream, target.add_stream_from_template(stream, opaque=True))
        if container.attachments:
            with av.open(stream.container.name) as again:
                picture = bytes(next(again.demux(again.streams[stream.index])))
            kind = "png" if stream.name == "png" else "jpeg"
            target.add_attachment(f"cover.{kind}", f"image/{kind}", picture)
        else:
            self.notes.append(f"cover lost: {container.muxer} cannot carry it")
        return None


class _Copied:
    """Packet for packet."""

    def __init__(self, stream: Stream, out: Stream) -> None:
        self._out = out
        _label(out, stream)

    def packets(self, packet: Packet) -> Iterator[Packet]:
        # MP4's subtitles say nothing in between, and its muxer puts that there by itself.
        if packet.stream.name == "mov_text" and bytes(packet) == b"\0\0":
            return
        packet.stream = self._out
        yield packet

    def rest(self) -> Iterator[Packet]:
        yield from ()


class _Recoded:
    """Sound, decoded and encoded."""

    def __init__(self, stream: AudioStream, target: OutputContainer, encoder: str) -> None:
        self._in = stream
        rate = _COMMON_RATE if encoder in _FEW_RATES else stream.rate
        channels = min(stream.channels, _MOST_CHANNELS.get(encoder, max(_LAYOUTS)))
        added = target.add_stream(encoder, rate=rate, layout=_LAYOUTS[channels])
        assert isinstance(added, AudioStream)
        self._out = added
        self._out.bit_rate = _SOUND_BITS * channels
        _label(self._out, stream)

    def packets(self, packet: Packet) -> Iterator[Packet]:
        for frame in self._in.decode(packet):
            yield from self._out.encode(frame)

    def rest(self) -> Iterator[Packet]:
        for frame in self._in.decode(None):
            yield from self._out.encode(frame)
        yield from self._out.encode(None)


class _Reworded:
    """Subtitles, from one text format to another."""

    def __init__(self, stream: SubtitleStream, target: OutputContainer, encoder: str) -> None:
        self._in = stream
        added = target.add_stream(encoder)
        assert isinstance(added, SubtitleStream)
        assert stream.time_base is not None
        self._out = added
        self._out.codec_context.subtitle_header = _header(stream)
        # The encoder's own is 0; that of the source keeps times exact as far as the muxer does.
        self._out.time_base = self._out.codec_context.time_base = stream.time_base
        _label(self._out, stream)

    def packets(self, packet: Packet) -> Iterator[Packet]:
        for line in self._in.decode(packet):
            if isinstance(line, AssSubtitle):
                text = SubtitleSet.create(
                    line.ass, start=0, end=packet.duration or 0, pts=packet.pts or 0
                )
                coded = self._out.codec_context.encode_subtitle(text)
                coded.stream, coded.time_base = self._out, packet.time_base
                yield coded

    def rest(self) -> Iterator[Packet]:
        yield from ()


def _goes_in(stream: Stream, container: Container) -> bool:
    """Asks the muxer itself: a file of this stream alone, written nowhere."""
    if stream.type == "attachment":
        return container.attachments
    try:
        with av.open(os.devnull, "w", format=container.muxer) as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (ValueError, av.FFmpegError):
        return False
    return True


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


def _label(target: Stream, source: Stream) -> None:
    target.metadata.update(source.metadata)
    target.disposition = source.disposition


def _is_text(stream: SubtitleStream) -> bool:
    return bool(_header(stream))


def _header(stream: SubtitleStream) -> bytes | None:
    """Styles, which every text format has once it is decoded, and no picture format."""
    stream.codec_context.open(strict=False)
    return stream.codec_context.subtitle_header


def _name(stream: Stream) -> str:
    """What people call a stream."""
    kind = {"audio": "sound", "subtitle": "subtitles", "video": "second picture"}
    language = stream.metadata.get("language", "und")
    words = [
        kind.get(stream.type, stream.type),
        "" if language == "und" else language,
        f"({stream.name or stream.metadata.get('handler_name', 'unknown')}, stream {stream.index})",
    ]
    return " ".join(filter(None, words))
