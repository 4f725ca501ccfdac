"""All that travels with the picture: sound, subtitles, fonts. Copied packet for packet if possible.

What the new container cannot carry is made into something that it can, or left behind; either way
there is a note that names it.
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
from av.video.stream import VideoStream

from wbc_tf.video.carriers import Carrier, Copied, Recoded, Reworded, styles
from wbc_tf.video.containers import Container


class Passengers:
    """The streams of one file beside its picture, on their way into another."""

    def __init__(
        self, streams: Sequence[Stream], target: OutputContainer, container: Container
    ) -> None:
        """Adds a stream to `target`, which nothing was written to yet, for each that can go.

        Args:
          streams: of the source, the picture left out.
          target: where they go.
          container: of what kind that is.
        """
        self._target, self._container = target, container
        self._notes: list[str] = []
        self._on_board: dict[int, tuple[str, Carrier]] = {}
        for stream in streams:
            carrier = self._board(stream)
            if carrier is not None:
                self._on_board[stream.index] = _name(stream), carrier

    @property
    def notes(self) -> list[str]:
        """Who was changed, damaged or left behind so far, each a phrase for people."""
        notes = [*self._notes]
        for name, carrier in self._on_board.values():
            if carrier.lost:
                notes.append(f"{name}: {carrier.lost} broken packets left out")
            if carrier.moved:
                notes.append(f"{name}: {carrier.moved} packets whose time ran backwards were moved")
        return notes

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """What to write for a packet of the source; nothing for one that was left behind."""
        if packet.stream.index in self._on_board:
            yield from self._on_board[packet.stream.index][1].packets(packet)

    def rest(self) -> Iterator[Packet]:
        """What is still to be written after the last packet."""
        for _, carrier in self._on_board.values():
            yield from carrier.rest()

    def _board(self, stream: Stream) -> Carrier | None:
        muxer, name = self._container.muxer, _name(stream)
        if stream.disposition & Disposition.attached_pic:
            return self._board_cover(stream)
        if stream.type == "data" and (stream.name == "bin_data" or "timecode" in stream.metadata):
            # MP4 keeps chapters and the timecode in tracks of their own. Its muxer makes them anew
            # from the file's chapters and the picture's tag.
            return None
        if isinstance(stream, VideoStream):
            self._notes.append(f"{name} lost: only one is drawn")
            return None
        if _goes_in(stream, self._container):
            return Copied(stream, self._target)
        if isinstance(stream, AudioStream):
            sound = self._container.sound
            self._notes.append(
                f"{name} stored as {sound.removeprefix('lib')}: {muxer} cannot carry it as it is"
            )
            return Recoded(stream, self._target, sound)
        text = self._container.subtitles
        if isinstance(stream, SubtitleStream) and text is not None and styles(stream):
            self._notes.append(f"{name} stored as {text}: {muxer} cannot carry it as it is")
            return Reworded(stream, self._target, text)
        self._notes.append(f"{name} lost: {muxer} cannot carry it")
        return None

    def _board_cover(self, stream: Stream) -> Carrier | None:
        if self._container.muxer in ("mp4", "mov"):
            return Copied(stream, self._target)
        if self._container.attachments:
            with av.open(stream.container.name) as again:
                picture = bytes(next(again.demux(again.streams[stream.index])))
            kind = "png" if stream.name == "png" else "jpeg"
            self._target.add_attachment(f"cover.{kind}", f"image/{kind}", picture)
        else:
            self._notes.append(f"cover lost: {self._container.muxer} cannot carry it")
        return None


def _goes_in(stream: Stream, container: Container) -> bool:
    """Asks the muxer itself: a file of this stream alone, written nowhere."""
    if stream.type == "attachment":
        return container.attachments
    if stream.type == "data" and container.muxer == "avi":
        return False  # it takes anything, and nothing reads it
    try:
        with av.open(os.devnull, "w", format=container.muxer) as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (ValueError, av.FFmpegError):
        return False
    return True


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
