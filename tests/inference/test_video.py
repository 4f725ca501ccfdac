"""From video files to video files; what the network draws is mostly left as it is."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.video.clips import MATRICES, Seen, look, make, picture, psnr
from wbc_tf.files.pictures import read_rgb
from wbc_tf.inference import video
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.jobs import Job, Tally
from wbc_tf.inference.photos import cartoonize_photos
from wbc_tf.inference.progress import Console
from wbc_tf.inference.settings import DrawSettings, VideoSettings
from wbc_tf.inference.videos import cartoonize_videos
from wbc_tf.video.frames import Picture
from wbc_tf.video.read import VideoReader
from wbc_tf.video.write import VideoWriter

SETTINGS = VideoSettings(DrawSettings(short_side=0), preset="ultrafast")
NTSC = Fraction(30000, 1001)


def leave(rgb: np.ndarray, **_: object) -> np.ndarray:
    """Stands in for a model: it changes nothing."""
    return rgb


def pictures(path: Path) -> list[Picture]:
    with VideoReader(path) as clip:
        return [item for item in clip.items() if isinstance(item, Picture)]


def convert(source: Path, target: Path, settings: VideoSettings = SETTINGS) -> Seen:
    with Console() as console:
        tally = cartoonize_videos(leave, [Job(source, target)], settings, listener=console)
    assert tally == Tally(written=1)
    return look(target)


#: Name -> what it is made of.
KINDS: dict[str, dict[str, Any]] = {
    "phone.mp4": dict(
        times=[0, 1001, 2002, 3003, 4004, 5005, 6006],
        time_base=Fraction(1, 30000),
        rate=NTSC,
        last=1001,
        matrix=MATRICES[6],
        colour=(1, 1, 1, 1),
        sound=[("aac", "stereo")],
        tags={"title": "a day", "creation_time": "2020-01-02T03:04:05.000000Z"},
        stream_tags={"language": "fra"},
    ),
    "everything.mkv": dict(
        time_base=Fraction(1, 1000),
        times=[0, 40, 80, 120, 160, 200],
        last=40,
        sound=[("ac3", "5.1"), ("flac", "stereo")],
        subtitles="ass",
        font=b"not quite a font",
        chapters=[(0, 120, "one"), (120, 240, "two")],
        tags={"title": "much", "comment": "very", "anything": "else"},
        shape=Fraction(4, 3),
    ),
    "everything.mp4": dict(
        sound=[("aac", "5.1"), ("aac", "mono")],
        subtitles="mov_text",
        chapters=[(0, 120, "one"), (120, 240, "two")],
        tags={"title": "much", "artist": "somebody"},
        shape=Fraction(4, 3),
        colour=(5, 2, 5, 6),
    ),
    "tags.mov": dict(
        sound=[("pcm_s16le", "stereo")],
        tags={"title": "x", "com.apple.quicktime.make": "a phone", "anything": "else"},
    ),
    "web.webm": dict(
        codec="libvpx-vp9",
        time_base=Fraction(1, 1000),
        times=[0, 40, 80, 120, 160, 200],
        last=40,
        options={"cpu-used": "8", "deadline": "realtime"},
        sound=[("libopus", "stereo")],
        subtitles="webvtt",
        tags={"title": "web"},
        matrix=MATRICES[3],
    ),
    "old.avi": dict(
        codec="mpeg4",
        sound=[("libmp3lame", "stereo")],
        tags={"title": "x"},
        muxer_options={"avoid_negative_ts": "disabled"},
    ),
    "gaps.avi": dict(codec="mpeg4", times=[0, 1, 2, 5, 6, 9]),
    "uneven.mp4": dict(
        times=[0, 1000, 1100, 5000, 5001, 90000, 90500],
        time_base=Fraction(1, 90000),
        last=30000,
        sound=[("aac", "stereo")],
        options={"bf": "0"},
    ),
    "uneven.mkv": dict(
        times=[0, 13, 14, 200, 333, 1000], time_base=Fraction(1, 1000), last=40
    ),
    "late.mp4": dict(times=[250, 290, 330, 370], time_base=Fraction(1, 1000), last=40,
                     sound=[("aac", "stereo")], sound_seconds=0.5),
    "long sound.mp4": dict(sound=[("aac", "stereo")], sound_seconds=3.0),
    "one frame.mkv": dict(times=[0], time_base=Fraction(1, 1000), last=40),
    "hevc.mkv": dict(
        codec="libx265",
        options={"x265-params": "log-level=none"},
        time_base=Fraction(1, 1000),
        times=[0, 20, 40, 60],
        rate=Fraction(50),
        last=20,
    ),
    "motion jpeg.mov": dict(codec="mjpeg", pixels="yuvj420p", colour=(5, 2, 2, 2)),
    "uncompressed.avi": dict(codec="rawvideo", pixels="yuv420p"),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_everything_but_the_picture_stays(tmp_path: Path, name: str) -> None:
    source = make(tmp_path / name, **KINDS[name])
    before = look(source)
    after = convert(source, tmp_path / "out" / name)

    times = after.times
    if name.endswith(".avi"):  # where FFmpeg guesses H.264's times, see `Decoder`
        times = [picture.time * after.time_base for picture in pictures(tmp_path / "out" / name)]
    assert times == before.times
    assert after.time_base == before.time_base
    assert after.rate == before.rate
    assert abs(after.duration - before.duration) <= Fraction(1, 1000)
    assert after.packets == before.packets, "sound and subtitles, byte by byte"
    assert after.kinds[1:] == before.kinds[1:]
    outdated = {"encoder", "software"}
    assert after.tags.items() >= {k: v for k, v in before.tags.items() if k not in outdated}.items()
    assert after.stream_tags.get("language") == before.stream_tags.get("language")
    assert after.chapters == before.chapters
    assert after.matrix == before.matrix
    assert (after.shape or 1) == (before.shape or 1)
    assert after.colour == before.colour
    assert [f.shape for f in after.frames] == [f.shape for f in before.frames]
    assert min(map(psnr, after.frames, before.frames)) > 34


def notes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was told, without the file's name."""
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("note: ") for line in lines), lines
    return [line.split(": ", 2)[2] for line in lines]


def test_matroska_is_exact_to_its_millisecond(tmp_path: Path) -> None:
    source = make(tmp_path / "a.mp4", **KINDS["phone.mp4"])
    before, after = look(source), convert(source, tmp_path / "a.mkv")
    assert after.times == [Fraction(round(1000 * time), 1000) for time in before.times]
    # The sound's first packet warms the decoder up, before 0.
    assert after.packets[1] == [
        (Fraction(round(1000 * time), 1000), data) for time, data in before.packets[1]
    ]
    assert after.packets[1][0][0] < 0
    assert (after.matrix, after.colour, after.rate) == (before.matrix, before.colour, before.rate)
    back = convert(tmp_path / "a.mkv", tmp_path / "b.mp4")
    assert (back.times, back.time_base) == (after.times, Fraction(1, 1000))


def test_what_a_container_cannot_carry_is_converted_with_a_notice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make(tmp_path / "a.mkv", **KINDS["everything.mkv"] | {"shape": None})
    before = look(source)
    web = convert(source, tmp_path / "a.webm")
    assert web.kinds == [
        ("video", "vp9", None),
        ("audio", "opus", "fra"),
        ("audio", "opus", "deu"),
        ("subtitle", "webvtt", "ita"),
    ]
    assert web.packets[3] == [(Fraction(8 * n, 100), b"<i>Zeile</i> %d" % n) for n in range(3)]
    assert (web.times, web.chapters) == (before.times, before.chapters)
    assert notes(capsys) == [
        "sound fra (ac3, stream 1) stored as opus: webm cannot store it as it is",
        "sound deu (flac, stream 2) stored as opus: webm cannot store it as it is",
        "subtitles ita (ssa, stream 3) stored as webvtt: webm cannot store it as it is",
        "attachment (font.ttf, stream 4) lost: webm cannot store it",
    ]

    phone = convert(source, tmp_path / "a.mp4")
    assert [kind[1] for kind in phone.kinds[:4]] == ["h264", "ac3", "flac", "mov_text"]
    texts = [data[2:9] for _, data in phone.packets[3] if len(data) > 2]
    assert texts == [b"Zeile %d" % n for n in range(3)]
    assert phone.tags.items() >= before.tags.items() - {("encoder", before.tags["encoder"])}
    assert notes(capsys) == [
        "subtitles ita (ssa, stream 3) stored as mov_text: mp4 cannot store it as it is",
        "attachment (font.ttf, stream 4) lost: mp4 cannot store it",
    ]

    old = convert(source, tmp_path / "a.avi")
    assert [kind[1] for kind in old.kinds] == ["h264", "ac3", "flac"]
    assert notes(capsys) == [
        "subtitles ita (ssa, stream 3) lost: avi cannot store it",
        "attachment (font.ttf, stream 4) lost: avi cannot store it",
        "tags that are not kept: ANYTHING",
        "chapters are not kept",
    ]


def test_sound_that_is_encoded_again_stays_where_it_was(tmp_path: Path) -> None:
    source = make(tmp_path / "a.mkv", sound=[("aac", "stereo")], sound_seconds=1.0)
    convert(source, tmp_path / "a.webm")
    heard = []
    for path in (source, tmp_path / "a.webm"):
        with av.open(str(path)) as container:
            # A tone from 0 to 1 s: where it begins and ends.
            samples = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
        loud = np.flatnonzero(np.abs(samples) > 0.1)
        heard.append(loud[[0, -1]] / 48000)
    np.testing.assert_allclose(heard[1], heard[0], atol=0.03)


@pytest.mark.parametrize("orientation", [2, 3, 6, 7])
def test_the_network_sees_pictures_upright_and_the_file_keeps_them_as_they_lie(
    tmp_path: Path, orientation: int
) -> None:
    source = make(tmp_path / "a.mp4", times=[0, 1], matrix=MATRICES[orientation])
    stored = look(source).frames[0]
    seen = []

    def model(rgb: np.ndarray, **_: object) -> np.ndarray:
        seen.extend(rgb)
        return rgb

    for name in ("b.mp4", "b.mkv", "b.avi"):
        job = Job(source, tmp_path / name)
        assert cartoonize_videos(model, [job], SETTINGS).written == 1
        after = look(tmp_path / name)
        expected = turned_upright(stored, orientation) if name == "b.avi" else stored
        assert after.frames[0].shape == expected.shape
        assert psnr(after.frames[0], expected) > 34
        if name != "b.avi":
            assert (after.matrix or MATRICES[1]) == MATRICES[orientation]
    assert psnr(seen[0], turned_upright(stored, orientation)) > 40


def turned_upright(stored: np.ndarray, orientation: int) -> np.ndarray:
    """By Pillow, which knows EXIF's orientations."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = io.BytesIO()
    Image.fromarray(stored).save(content, "PNG", exif=exif)
    return np.array(ImageOps.exif_transpose(Image.open(content)))


@pytest.mark.parametrize("output_size", ["input", "working"])
def test_a_frame_equals_the_photo(tmp_path: Path, tiny_model: Path, output_size: str) -> None:
    tiny = Cartoonizer.load(tiny_model)
    source = make(tmp_path / "a.mkv", times=[0, 1, 2], codec="ffv1", pixels="bgr0", size=(49, 65))
    frames = look(source).frames
    np.testing.assert_array_equal(frames[2], picture(2, 49, 65))
    photos = []
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"{number}.png")
        photos.append(Job(tmp_path / f"{number}.png", tmp_path / f"photo{number}.png"))
    draw = DrawSettings(short_side=24, output_size=output_size)
    cartoonize_photos(tiny, photos, draw)
    for codec, suffix in (("ffv1", ".mkv"), ("h264", ".mp4")):
        job = Job(source, tmp_path / f"b{suffix}")
        settings = VideoSettings(draw, codec=codec)
        assert cartoonize_videos(tiny, [job], settings).written == 1
        for frame, photo in zip(look(job.target).frames, photos):
            expected = read_rgb(photo.target)
            assert frame.shape == expected.shape
            if codec == "ffv1":
                assert np.abs(frame.astype(int) - expected).max() <= 1
            else:
                # An untrained network's drawing is nearly noise, the hardest there is.
                assert psnr(frame, expected) > 28


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mp4", "h264", "yuv444p"),
        ("a.mkv", "hevc", "yuv444p"),
        ("a.webm", "av1", "yuv420p"),
    ],
)
def test_odd_sizes_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, codec: str, pixels: str
) -> None:
    # Odd sizes with halved chroma are to be had of a codec that pads by itself.
    source = make(
        tmp_path / "odd.webm",
        codec="libvpx-vp9",
        size=(71, 97),
        times=[0, 40, 80],
        time_base=Fraction(1, 1000),
        last=40,
    )
    after = convert(source, tmp_path / name, replace(SETTINGS, codec=codec))
    before = look(source)
    assert after.pixels == pixels
    assert [f.shape for f in after.frames] == [(71, 97, 3)] * 3
    assert min(map(psnr, after.frames, before.frames)) > 32
    odd = [note for note in notes(capsys) if "odd size" in note]
    assert len(odd) == (codec in ("h264", "hevc"))


def test_pixels_that_are_no_squares_become_squares_where_nobody_could_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make(tmp_path / "a.mp4", shape=Fraction(4, 3))
    after = convert(source, tmp_path / "a.webm")
    assert after.frames[0].shape == (48, 85, 3)
    assert (after.shape or 1) == 1
    assert notes(capsys) == ["pixels of 4:3 made square: webm does not tell their shape"]


def test_avi_counts_and_says_how_far_a_frame_moved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make(
        tmp_path / "a.mkv", times=[0, 40, 100, 120, 160], time_base=Fraction(1, 1000), last=40
    )
    convert(source, tmp_path / "a.avi")
    times = [p.time for p in pictures(tmp_path / "a.avi")]
    assert times == [0, 1, 2, 3, 4]
    assert notes(capsys) == ["frames moved by up to 20 ms: avi has one rate and no times"]


def test_a_cover_goes_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(content, "PNG")
    cover = content.getvalue()
    source = make(tmp_path / "a.mp4", cover=cover)
    for name in ("b.mp4", "b.mkv"):
        after = convert(source, tmp_path / name)
        assert after.kinds[1][:2] == ("video", "png")
        assert [data for _, data in after.packets[1]] == [cover]
    assert notes(capsys) == []
    convert(source, tmp_path / "b.webm")
    assert notes(capsys) == ["cover lost: webm cannot store it"]


def test_a_part_is_counted_from_its_beginning(tmp_path: Path) -> None:
    source = make(
        tmp_path / "a.mkv",
        times=range(0, 2000, 40),
        time_base=Fraction(1, 1000),
        last=40,
        options={"g": "10"},
        sound=[("flac", "stereo")],
        sound_seconds=2.0,
        subtitles="subrip",
        chapters=[(0, 100, "one"), (100, 800, "two"), (800, 2000, "three")],
    )
    before = look(source)
    after = convert(source, tmp_path / "b.mkv", replace(SETTINGS, start=0.5, duration=0.8))
    # From the first frame at or after 0.5 s, which is at 0.52.
    assert after.times == [Fraction(20 + 40 * n, 1000) for n in range(20)]
    assert psnr(after.frames[0], before.frames[13]) > 34
    start, stop = Fraction(1, 2), Fraction(13, 10)
    kept = [(time - start, data) for time, data in before.packets[1] if start <= time < stop]
    assert after.packets[1] == kept
    assert len(kept) > 5
    assert after.chapters == [
        (Fraction(0), Fraction(3, 10), "two"),
        (Fraction(3, 10), Fraction(8, 10), "three"),
    ]
    # The subtitles are over by then; one that runs into the part is shown from its beginning on.
    assert 2 not in after.packets
    running = convert(source, tmp_path / "c.mkv", replace(SETTINGS, start=0.1))
    assert [time for time, _ in running.packets[2]] == [0, Fraction(6, 100)]


def test_only_a_few_frames_are_in_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "pictures_at_once", lambda *_: 2)
    source = make(tmp_path / "a.mp4", times=range(200), options={"g": "20"})
    decoded = written = most = 0
    look_at, draw = VideoReader._picture, VideoWriter.write_picture

    def decoding(self: VideoReader, *arguments: Any) -> Picture:
        nonlocal decoded, most
        decoded += 1
        most = max(most, decoded - written)
        return look_at(self, *arguments)

    def writing(self: VideoWriter, item: Picture) -> None:
        nonlocal written
        written += 1
        draw(self, item)

    monkeypatch.setattr(VideoReader, "_picture", decoding)
    monkeypatch.setattr(VideoWriter, "write_picture", writing)
    convert(source, tmp_path / "b.mp4")
    assert (decoded, written) == (200, 200)
    # Two batches ready on either side of the network, one in it, and one picture in each hand.
    assert most <= 4 + 2 + 4 + 3


def test_decoding_drawing_and_encoding_overlap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first batch is drawn only when the second is decoded, and written only when that is drawn:
    # a loop that takes one step after the other would wait in vain.
    monkeypatch.setattr(video, "pictures_at_once", lambda *_: 1)
    source = make(tmp_path / "a.mp4", times=range(8))
    decoded_second, drawn_second = threading.Event(), threading.Event()
    calls = decoded = 0
    look_at, draw = VideoReader._picture, VideoWriter.write_picture

    def decoding(self: VideoReader, *arguments: Any) -> Picture:
        nonlocal decoded
        decoded += 1
        if decoded == 2:
            decoded_second.set()
        return look_at(self, *arguments)

    def model(rgb: np.ndarray, **_: object) -> np.ndarray:
        nonlocal calls
        calls += 1
        assert decoded_second.wait(30)
        if calls == 2:
            drawn_second.set()
        return rgb

    def writing(self: VideoWriter, item: Picture) -> None:
        assert drawn_second.wait(30)
        draw(self, item)

    monkeypatch.setattr(VideoReader, "_picture", decoding)
    monkeypatch.setattr(VideoWriter, "write_picture", writing)
    job = Job(source, tmp_path / "b.mp4")
    assert cartoonize_videos(model, [job], SETTINGS).written == 1


def test_stabilizing_is_only_done_when_asked_for(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    scene = picture(0, 96, 128).astype(float)
    noisy = [np.clip(scene + random.normal(0, 4, scene.shape), 0, 255) for _ in range(8)]
    frames = [
        av.VideoFrame.from_ndarray(n.astype(np.uint8), format="rgb24").reformat(format="bgr0")
        for n in noisy
    ]
    lossless = {"codec": "ffv1", "pixels": "bgr0", "size": (96, 128)}
    source = make(tmp_path / "a.mkv", times=range(8), frames=frames, **lossless)

    def flicker(path: Path) -> float:
        shown = np.stack(look(path).frames).astype(float)
        return float(np.abs(np.diff(shown[3:], axis=0)).mean())

    before = flicker(source)
    plain = replace(SETTINGS, codec="ffv1")
    convert(source, tmp_path / "plain.mkv", plain)
    convert(source, tmp_path / "calm.mkv", replace(plain, stabilize=True))
    assert flicker(tmp_path / "plain.mkv") == before
    assert flicker(tmp_path / "calm.mkv") < before / 2.5


def test_hdr_is_brought_to_bt709_and_ten_bits_to_eight(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = av.VideoFrame(64, 48, "yuv420p10le")
    # Diffuse white in HLG: 75 percent, in ten bits of limited range.
    for plane, level in zip(flat.planes, (64 + 657, 512, 512)):
        plane.update(np.full(plane.buffer_size // 2, level, np.uint16).tobytes())
    deep = {
        "times": [0],
        "codec": "libx265",
        "pixels": "yuv420p10le",
        "options": {"x265-params": "log-level=none:bframes=0"},
        "frames": [flat],
    }
    hdr = make(tmp_path / "hdr.mkv", **deep, colour=(9, 1, 9, 18))
    after = convert(hdr, tmp_path / "a.mp4")
    assert (after.colour, after.pixels) == ((1, 1, 1, 1), "yuv420p")
    assert after.frames[0].min() >= 250, "white"
    assert notes(capsys) == ["high dynamic range (HLG) brought to BT.709"]

    sdr = make(tmp_path / "sdr.mkv", **deep, colour=(9, 1, 9, 14))
    after = convert(sdr, tmp_path / "b.mp4")
    assert after.colour == (9, 1, 9, 14)
    np.testing.assert_allclose(after.frames[0], 191, atol=2)
    assert notes(capsys) == ["10 bits a channel kept as 8"]
