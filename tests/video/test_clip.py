from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av import Packet

from tests.video.clips import MATRICES, make, picture, psnr
from wbc_tf.video.clip import Clip
from wbc_tf.video.colour import Colour
from wbc_tf.video.form import Picture
from wbc_tf.video.opening import VideoReadError


def pictures(clip: Clip) -> list[Picture]:
    return [item for item in clip.items() if isinstance(item, Picture)]


def test_what_a_clip_says_of_itself(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.mp4",
        times=range(0, 10010, 1001),
        time_base=Fraction(1, 30000),
        rate=Fraction(30000, 1001),
        last=1001,
        matrix=MATRICES[6],
        shape=Fraction(4, 3),
        colour=(1, 1, 1, 1),
        tags={"title": "x"},
        chapters=[(0, 300, "one")],
        sound=[("aac", "stereo")],
    )
    with Clip(path) as clip:
        form = clip.form
        assert (form.time_base, form.rate, form.steady) == (
            Fraction(1, 30000),
            Fraction(30000, 1001),
            True,
        )
        assert (form.pixel_shape, form.matrix) == (Fraction(4, 3), MATRICES[6])
        assert form.colour == Colour(1, 1, 1, 1)
        assert form.metadata == {"title": "x"}, "and nothing of who wrote it"
        assert [chapter["metadata"]["title"] for chapter in form.chapters] == ["one"]
        assert (clip.height, clip.width, clip.frames) == (64, 48, 10)
        assert clip.notes == []
        items = list(clip.items())
        others = {item.stream.type for item in items if isinstance(item, Packet)}
    assert others == {"audio"}
    shown = [item for item in items if isinstance(item, Picture)]
    assert [item.time for item in shown] == list(range(0, 10010, 1001))
    assert all(item.rgb.shape == (64, 48, 3) for item in shown)
    upright = np.rot90(picture(3), k=-1)
    assert psnr(shown[3].rgb, upright) > 34


def test_an_uneven_clip_is_no_steady_one(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mp4", times=[0, 100, 1000], time_base=Fraction(1, 1000), last=40)
    with Clip(path) as clip:
        assert not clip.form.steady


def test_a_broadcast_begins_at_zero(tmp_path: Path) -> None:
    path = make(tmp_path / "a.ts", sound=[("aac", "stereo")], muxer_options={"muxdelay": "5"})
    with Clip(path) as clip:
        assert clip.container.start_time > 0
        first = min(
            item.time * clip.form.time_base
            if isinstance(item, Picture)
            else item.pts * item.time_base
            for item in clip.items()
        )
    assert 0 <= first < Fraction(1, 20)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts", "a.avi"])
def test_a_part(tmp_path: Path, name: str) -> None:
    options = {"g": "7", "bf": "0"}
    whole = make(tmp_path / name, times=range(50), options=options)
    with Clip(whole) as clip:
        everything = pictures(clip)
    with Clip(whole, start=0.5, duration=1.0) as clip:
        assert clip.frames == 25
        part = pictures(clip)
    # 0.5 s lies between frames 12 and 13.
    assert len(part) == 25
    np.testing.assert_array_equal(part[0].rgb, everything[13].rgb)
    # The start is moved to the nearest tick, and AVI's are as long as a frame.
    tick = clip.form.time_base
    assert abs(part[0].time * tick - Fraction(2, 100)) <= tick / 2
    assert np.ptp(np.diff([item.time for item in part])) <= 1


def test_a_part_past_the_end_is_none(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv")
    with pytest.raises(VideoReadError, match=r"a\.mkv: there is no frame .* from 100 s on"):
        Clip(path, start=100)


def test_a_cut_off_file_is_read_as_far_as_asked_for(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", times=range(100), size=(120, 160), options={"g": "10"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with Clip(path) as clip, pytest.raises(VideoReadError, match=r"cut off .* by --duration"):
        pictures(clip)
    with Clip(path, duration=0.4) as clip:
        assert len(pictures(clip)) == 10


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mp4")
    with pytest.raises(VideoReadError, match=r"frames of 64 x 48 .* limit is 0\.003 million"):
        Clip(path, max_pixels=3000)
    Clip(path, max_pixels=64 * 48).container.close()


def test_broken_frames_are_counted(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", times=range(30), size=(120, 160), options={"g": "5"})
    data = bytearray(path.read_bytes())
    for share in (0.4, 0.7):
        at = int(len(data) * share)
        data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    with Clip(path) as clip:
        shown = pictures(clip)
        assert len(shown) == 30
        assert any("broken frames: the one before each is repeated" in n for n in clip.notes)
