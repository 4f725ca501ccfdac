from __future__ import annotations

from collections.abc import Callable

import av
import numpy as np
import pytest

from wbc_tf.video.colour import Colour, ColourError, FrameToRgb, RgbToFrame
from wbc_tf.video.formats import pyav_version

#: Matrix as H.273 numbers it -> the weights of red and blue in luma (table 4 there).
WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
LIMITED, FULL = 1, 2
KNOWN = [
    *((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)),
    *((200, 120, 40), (30, 60, 200), (128, 128, 128)),
]


def to_yuv(rgb: tuple[int, ...], matrix: int, levels: int, bits: int = 8) -> np.ndarray:
    """By the formula of H.273, section 8.3."""
    red_weight, blue_weight = WEIGHTS[matrix]
    red, green, blue = np.array(rgb) / 255
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    blueness = (blue - luma) / (2 * (1 - blue_weight))
    redness = (red - luma) / (2 * (1 - red_weight))
    unit = 2 ** (bits - 8)
    if levels == FULL:
        most = 2**bits - 1
        yuv = [most * luma, most * blueness + 128 * unit, most * redness + 128 * unit]
    else:
        yuv = [219 * luma + 16, 224 * blueness + 128, 224 * redness + 128]
        yuv = [unit * value for value in yuv]
    return np.clip(np.rint(yuv), 0, 2**bits - 1).astype(np.uint16 if bits > 8 else np.uint8)


def flat(
    yuv: np.ndarray,
    pixels: str = "yuv420p",
    size: tuple[int, int] = (48, 64),
    tags: tuple[int, ...] = (2, 0, 2, 2),
) -> av.VideoFrame:
    frame = av.VideoFrame(size[1], size[0], pixels)
    for plane, level in zip(frame.planes, yuv):
        count = plane.buffer_size // yuv.itemsize
        plane.update(np.full(count, level, yuv.dtype).tobytes())
    frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc = tags
    return frame


@pytest.mark.parametrize(
    ("matrix", "levels"),
    [(1, LIMITED), (1, FULL), (4, FULL), (5, LIMITED), (6, FULL), (7, LIMITED), (9, LIMITED)],
)
def test_known_colours_come_out_and_go_back(matrix: int, levels: int) -> None:
    for rgb in KNOWN:
        yuv = to_yuv(rgb, matrix, levels)
        frame = flat(yuv, tags=(matrix, levels, 1, 1))
        reader = FrameToRgb(frame)
        assert (reader.colour, reader.notes) == (Colour(matrix, levels, 1, 1), [])
        read = reader.rgb(frame)
        assert read.shape == (48, 64, 3)
        # Levels were rounded once on the way here.
        assert np.abs(read.astype(int) - rgb).max() <= 1
        painter = RgbToFrame(reader.colour, pixel_format="yuv420p", height=48, width=64)
        back = painter.frame(np.full((48, 64, 3), rgb, np.uint8))
        for plane, level in zip(back.planes, yuv):
            rows = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, -1)
            assert np.abs(rows[:, : plane.width].astype(int) - level).max() <= 1


@pytest.mark.parametrize(("size", "matrix"), [((576, 720), 6), ((720, 1280), 1), ((1080, 608), 1)])
def test_what_is_not_stated_is_what_players_take_it_for(size: tuple[int, int], matrix: int) -> None:
    rgb = (200, 120, 40)
    frame = flat(to_yuv(rgb, matrix, LIMITED), size=size)
    reader = FrameToRgb(frame)
    assert reader.colour == Colour(), "and stays unstated"
    assert np.abs(reader.rgb(frame)[0, 0].astype(int) - rgb).max() <= 1


@pytest.mark.parametrize(("pixels", "level"), [("gray", 100), ("yuvj420p", 100)])
def test_kinds_that_are_full_without_saying_so(pixels: str, level: int) -> None:
    frame = flat(np.array([level, 128, 128], np.uint8), pixels)
    assert (FrameToRgb(frame).rgb(frame) == level).all()


def test_rgb_stays_and_becomes_yuv_that_says_what_it_is() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    reader = FrameToRgb(frame)
    np.testing.assert_array_equal(reader.rgb(frame), rgb)
    lossless = RgbToFrame(reader.colour, pixel_format="bgr0", height=48, width=64)
    assert (lossless.colour.matrix, lossless.colour.range) == (0, FULL)
    np.testing.assert_array_equal(lossless.frame(rgb).to_ndarray(format="rgb24"), rgb)
    painter = RgbToFrame(reader.colour, pixel_format="yuv444p", height=48, width=64)
    assert (painter.colour.matrix, painter.colour.range) == (5, LIMITED)
    back = painter.frame(rgb)
    back.colorspace, back.color_range = 5, LIMITED
    assert np.abs(FrameToRgb(back).rgb(back).astype(int) - rgb).max() <= 2


def test_frames_of_another_size_are_scaled_to_the_first() -> None:
    frame = flat(to_yuv((200, 120, 40), 1, LIMITED), tags=(1, 1, 1, 1))
    reader = FrameToRgb(frame)
    larger = flat(to_yuv((30, 60, 200), 1, LIMITED), size=(96, 96), tags=(1, 1, 1, 1))
    read = reader.rgb(larger)
    assert read.shape == (48, 64, 3)
    assert np.abs(read.astype(int) - (30, 60, 200)).max() <= 1


def test_ten_bits_are_read_as_eight_with_a_note() -> None:
    for rgb in KNOWN:
        frame = flat(to_yuv(rgb, 9, LIMITED, 10), "yuv420p10le", tags=(9, LIMITED, 9, 14))
        reader = FrameToRgb(frame)
        assert reader.notes == ["10 bits a channel kept as 8"]
        assert np.abs(reader.rgb(frame).astype(int) - rgb).max() <= 1


def test_transparency_is_noted() -> None:
    frame = av.VideoFrame(64, 48, "yuva420p")
    assert FrameToRgb(frame).notes == ["transparency is lost"]


def pq(light: float) -> float:
    """SMPTE ST 2084: cd/m² to signal."""
    power = (light / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(light: float) -> float:
    """ITU-R BT.2100, on a display of 1000 cd/m², whose system gamma is 1.2."""
    scene = (light / 1000) ** (1 / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return float(np.sqrt(3 * scene) if scene <= 1 / 12 else a * np.log(12 * scene - b) + c)


@pytest.mark.skipif(pyav_version() < (18, 0), reason="this PyAV converts no transfer curves")
@pytest.mark.parametrize(("curve", "transfer"), [(pq, 16), (hlg, 18)])
def test_hdr_greys_become_what_bt709_shows_as_bright(
    curve: Callable[[float], float], transfer: int
) -> None:
    lights = (2, 10, 26, 58, 100, 203, 400)
    frames = [
        flat(
            np.array([round(64 + 876 * curve(light)), 512, 512], np.uint16),
            "yuv420p10le",
            tags=(9, LIMITED, 9, transfer),
        )
        for light in lights
    ]
    reader = FrameToRgb(frames[0])
    assert reader.colour == Colour(1, LIMITED, 1, 1)
    assert "high dynamic range" in reader.notes[0]
    for light, frame in zip(lights, frames):
        # A display of BT.1886 gamma, whose white is HDR's diffuse white.
        expected = 255 * min(1, light / 203) ** (1 / 2.4)
        read = reader.rgb(frame).astype(int)
        assert np.ptp(read) <= 1, "grey stays grey"
        assert abs(read[0, 0, 0] - expected) <= 6


def test_hdr_is_refused_where_it_would_only_be_called_something_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(av, "__version__", "17.1.0")
    frame = flat(np.array([500, 512, 512], np.uint16), "yuv420p10le", tags=(9, LIMITED, 9, 16))
    with pytest.raises(ColourError, match=r"high dynamic range \(PQ\) needs PyAV 18"):
        FrameToRgb(frame)


def test_a_matrix_that_cannot_be_converted_is_refused() -> None:
    matrix = 14  # ICtCp
    frame = flat(np.array([100, 128, 128], np.uint8), tags=(matrix, LIMITED, 9, 16))
    with pytest.raises(ColourError, match=f"matrix {matrix} of ITU-T H.273"):
        FrameToRgb(frame)
