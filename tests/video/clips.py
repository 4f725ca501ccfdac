"""Small videos, made and read by PyAV alone, without anything of ours."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer
from av.subtitles.subtitle import SubtitleSet

os.environ.setdefault("SVT_LOG", "1")

#: FFmpeg's display matrices by the EXIF orientation that means the same.
MATRICES = {
    orientation: (65536 * a, 65536 * b, 0, 65536 * c, 65536 * d, 0, 0, 0, 1 << 30)
    for orientation, (a, b, c, d) in {
        1: (1, 0, 0, 1),
        2: (-1, 0, 0, 1),
        3: (-1, 0, 0, -1),
        4: (1, 0, 0, -1),
        5: (0, 1, 1, 0),
        6: (0, 1, -1, 0),
        7: (0, -1, -1, 0),
        8: (0, -1, 1, 0),
    }.items()
}

_STYLES = b"""[Script Info]\r
ScriptType: v4.00+\r
\r
[V4+ Styles]\r
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, \
Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding\r
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0\r
\r
[Events]\r
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r
"""


def picture(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """uint8 [H, W, 3]: smooth, so that codecs stay close, and different for each number."""
    y, x = np.mgrid[:height, :width]
    shift = 7 * number
    levels = [200 * y / height + shift, 200 * x / width, 255 - 200 * y / height - shift]
    return np.clip(np.dstack(levels), 0, 255).astype(np.uint8)


def make(
    path: Path,
    *,
    times: Sequence[int] = range(6),
    time_base: Fraction = Fraction(1, 25),
    rate: Fraction = Fraction(25),
    last: int = 1,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    size: tuple[int, int] = (48, 64),
    pixels: str = "yuv420p",
    frames: Sequence[av.VideoFrame] | None = None,
    matrix: tuple[int, ...] | None = None,
    shape: Fraction | None = None,
    colour: tuple[int, int, int, int] | None = None,
    tags: dict[str, str] | None = None,
    stream_tags: dict[str, str] | None = None,
    chapters: Iterable[tuple[int, int, str]] = (),
    sound: Sequence[tuple[str, str]] = (),
    sound_seconds: float = 0.24,
    subtitles: str | None = None,
    font: bytes | None = None,
    cover: bytes | None = None,
    muxer: str | None = None,
    muxer_options: dict[str, str] | None = None,
) -> Path:
    """Writes a video.

    Args:
      path: where to; of the kind that its name says unless `muxer` does.
      times: of the frames, in ticks of `time_base`; each lasts until the next.
      time_base: seconds.
      rate: as the stream says it.
      last: how long the last frame lasts, in ticks.
      codec: FFmpeg's encoder.
      options: the encoder's.
      size: height and width.
      pixels: FFmpeg's pixel format.
      frames: what to store in place of `picture`.
      matrix: display matrix.
      shape: of a pixel, width over height.
      colour: matrix, range, primaries, transfer.
      tags: of the file.
      stream_tags: of the picture.
      chapters: (start, end, title) in milliseconds.
      sound: (encoder, layout) of each track; the first speaks French, the second German.
      sound_seconds: how long they are.
      subtitles: encoder; three lines, each for 60 ms.
      font: an attachment.
      cover: a PNG.
      muxer: FFmpeg's name.
      muxer_options: its options.
    """
    with av.open(str(path), "w", format=muxer, options=muxer_options or {}) as out:
        out.metadata.update(tags or {})
        out.set_chapters(
            [
                {
                    "id": number,
                    "start": start,
                    "end": end,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": title},
                }
                for number, (start, end, title) in enumerate(chapters, 1)
            ]
        )
        video = out.add_stream(codec, rate=rate, options=options or {})
        context = video.codec_context
        context.height, context.width = size
        context.pix_fmt, context.time_base = pixels, time_base
        if shape:
            context.sample_aspect_ratio = shape
        if colour:
            context.colorspace, context.color_range = colour[:2]
            context.color_primaries, context.color_trc = colour[2:]
        if matrix:
            video.set_display_matrix(matrix)
        context.flags |= Flags.frame_duration
        video.metadata.update(stream_tags or {})
        tracks = [_sound(out, *track, language) for track, language in zip(sound, ("fra", "deu"))]
        lines = out.add_stream(subtitles) if subtitles else None
        if lines is not None:
            lines.codec_context.subtitle_header = _STYLES
            lines.time_base = lines.codec_context.time_base = Fraction(1, 1000)
            lines.metadata["language"] = "ita"
        if font is not None:
            out.add_attachment("font.ttf", "application/x-truetype-font", font)
        if cover is not None:
            jacket = out.add_mux_stream("png", width=8, height=8)
            jacket.disposition = 0x400  # an attached picture
            packet = av.Packet(cover)
            packet.stream, packet.time_base = jacket, Fraction(1, 90000)
            packet.pts = packet.dts = 0
            out.mux(packet)
        for track in tracks:
            out.mux(_tone(track, sound_seconds))
        for number in range(3) if lines is not None else ():
            text = b"0,0,Default,,0,0,0,,{\\i1}Zeile{\\i0} %d" % number
            line = SubtitleSet.create(text=text, start=0, end=60, pts=80 * number)
            packet = lines.codec_context.encode_subtitle(line)
            packet.stream, packet.time_base = lines, Fraction(1, 1000)
            out.mux(packet)
        ends = [*times[1:], times[-1] + last]
        for number, (time, end) in enumerate(zip(times, ends)):
            frame = frames[number] if frames else _frame(number, size, pixels, colour)
            frame.pts, frame.time_base, frame.duration = time, time_base, end - time
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


def _frame(
    number: int, size: tuple[int, int], pixels: str, colour: tuple[int, ...] | None
) -> av.VideoFrame:
    matrix, levels = (colour or (2, 0))[:2]
    return av.VideoFrame.from_ndarray(picture(number, *size), format="rgb24").reformat(
        format=pixels,
        src_color_range=2,
        # What players take an untagged video of this size for.
        dst_colorspace={1: 1, 9: 9}.get(matrix, 5),
        dst_color_range=2 if levels == 2 else 1,
    )


def _sound(out: OutputContainer, encoder: str, layout: str, language: str) -> Any:
    track = out.add_stream(encoder, rate=48000, layout=layout)
    track.metadata["language"] = language
    return track


def _tone(track: Any, seconds: float) -> list[av.Packet]:
    time = np.arange(round(48000 * seconds)) / 48000
    wave = (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    channels = np.repeat(wave[None], track.channels, axis=0)
    frame = av.AudioFrame.from_ndarray(channels, format="fltp", layout=track.layout.name)
    frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
    return [*track.encode(frame), *track.encode(None)]


@dataclass(frozen=True)
class Seen:
    """A video as PyAV reads it.

    Attributes:
      times: of the frames, in seconds.
      frames: uint8 RGB as stored, by FFmpeg's own conversion with the stated colours.
      packets: (start in seconds, content) of each other stream, by its index.
      kinds: (type, codec, language) of every stream.
    """

    times: list[Fraction]
    frames: list[np.ndarray]
    packets: dict[int, list[tuple[Fraction, bytes]]]
    kinds: list[tuple[str, str | None, str | None]]
    tags: dict[str, str]
    stream_tags: dict[str, str]
    chapters: list[tuple[Fraction, Fraction, str]]
    duration: Fraction
    time_base: Fraction
    rate: Fraction
    shape: Fraction | None
    matrix: tuple[int, ...] | None
    colour: tuple[int, int, int, int]
    pixels: str
    codec: str


def look(path: Path) -> Seen:
    """Reads it all."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        # Without threads, so that FFmpeg's flags on damaged frames are the same each time.
        video.thread_type = "NONE"
        shown = []
        packets: dict[int, list[tuple[Fraction, bytes]]] = {}
        for packet in container.demux():
            if packet.stream is video:
                shown += packet.decode()
            elif packet.size:
                start = (packet.pts or 0) * packet.time_base
                packets.setdefault(packet.stream.index, []).append((start, bytes(packet)))
        first = shown[0]
        matrix = first.side_data.get("DISPLAYMATRIX")
        return Seen(
            times=[frame.pts * video.time_base for frame in shown],
            frames=[
                frame.to_ndarray(
                    format="rgb24",
                    src_colorspace=None
                    if frame.format.is_rgb
                    else {1: 1, 9: 9}.get(frame.colorspace, 5),
                    src_color_range=2 if frame.format.is_rgb or frame.color_range == 2 else 1,
                    dst_color_range=2,
                )
                for frame in shown
            ],
            packets=packets,
            kinds=[
                (s.type, getattr(s, "name", None), s.metadata.get("language"))
                for s in container.streams
            ],
            tags={name.lower(): value for name, value in container.metadata.items()},
            stream_tags=dict(video.metadata),
            chapters=[
                (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"]["title"])
                for c in container.chapters()
            ],
            duration=Fraction(container.duration, av.time_base),
            time_base=video.time_base,
            rate=video.average_rate,
            shape=video.sample_aspect_ratio,
            matrix=None if matrix is None else tuple(np.frombuffer(bytes(matrix), np.int32)),
            colour=(
                *(first.colorspace, first.color_range),
                *(first.color_primaries, first.color_trc),
            ),
            pixels=first.format.name,
            codec=video.codec_context.name,
        )


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Of two uint8 pictures, in decibels."""
    return 10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9))
