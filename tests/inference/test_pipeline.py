from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wbc_tf.images import read_photo, read_rgb
from wbc_tf.inference.folder import Job, Tally
from wbc_tf.inference.pipeline import cartoonize_files


class Inverter:
    """Stands in for a model: dark for light, and every second pixel at the working size."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, rgb: np.ndarray, *, short_side: int, output_size: str) -> np.ndarray:
        self.calls += 1
        if (rgb[..., 0, 0, 0] == 99).any():
            raise ValueError("the model stumbled")
        return 255 - (rgb if output_size == "input" else rgb[..., ::2, ::2, :])


SETTINGS = {"short_side": 0, "output_size": "input"}


def _save(path: Path, level: int = 10, mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 4), (level,) * 3).convert(mode).save(path)
    return path


def test_each_picture_becomes_its_cartoon(tmp_path: Path) -> None:
    jobs = [
        Job(_save(tmp_path / f"{level}.png", level), tmp_path / "out" / "deep" / f"{level}.png")
        for level in (10, 20)
    ]
    assert cartoonize_files(Inverter(), jobs, **SETTINGS) == Tally(written=2, skipped=0, failed=0)
    for level in (10, 20):
        cartoon = read_rgb(tmp_path / "out" / "deep" / f"{level}.png")
        np.testing.assert_array_equal(cartoon, np.full((4, 6, 3), 255 - level))


def test_what_is_there_is_skipped_unless_it_may_be_overwritten(tmp_path: Path) -> None:
    jobs = [Job(_save(tmp_path / "a.png"), tmp_path / "b.png")]
    (tmp_path / "b.png").write_bytes(b"an earlier result")
    model = Inverter()
    assert cartoonize_files(model, jobs, **SETTINGS) == Tally(written=0, skipped=1, failed=0)
    assert (tmp_path / "b.png").read_bytes() == b"an earlier result"
    assert model.calls == 0
    tally = cartoonize_files(model, jobs, overwrite=True, **SETTINGS)
    assert tally == Tally(written=1, skipped=0, failed=0)
    assert read_rgb(tmp_path / "b.png")[0, 0, 0] == 245


def test_bad_files_are_named_and_counted_and_stop_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "taken").touch()
    good = _save(tmp_path / "good.png")
    jobs = [
        Job(tmp_path / "missing.png", tmp_path / "out" / "1.png"),
        Job(tmp_path / "empty.png", tmp_path / "out" / "2.png"),
        Job(_save(tmp_path / "stumble.png", 99), tmp_path / "out" / "3.png"),
        Job(good, tmp_path / "taken" / "4.png"),  # no folder can be made there
        Job(good, tmp_path / ("n" * 252 + ".png")),  # one letter too long for the file system
        Job(good, tmp_path / "out" / "6.png"),
    ]
    tally = cartoonize_files(Inverter(), jobs, **SETTINGS)
    assert tally == Tally(written=1, skipped=0, failed=5)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("failed:")]
    assert len(lines) == 5
    for line, reason in zip(
        lines,
        [
            "missing.png: there is no such file",
            "empty.png: an empty file",
            "stumble.png -> .*3.png: the model stumbled",
            "good.png -> .*4.png: .*taken",
            "good.png -> .*File name too long",
        ],
    ):
        assert re.search(reason, line), line
    assert os.listdir(tmp_path / "out") == ["6.png"], "no temporary files"


@pytest.mark.parametrize(("output_size", "shape"), [("input", (4, 6)), ("working", (2, 3))])
def test_alpha_goes_with_the_picture(
    tmp_path: Path, output_size: str, shape: tuple[int, int]
) -> None:
    rgba = np.full((4, 6, 4), 10, np.uint8)
    rgba[..., 3] = np.where(np.arange(6) < 2, 0, 255)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    jobs = [Job(tmp_path / "a.png", tmp_path / "b.png")]
    tally = cartoonize_files(Inverter(), jobs, short_side=2, output_size=output_size)
    assert tally.written == 1
    photo = read_photo(tmp_path / "b.png")
    assert photo.rgb.shape == (*shape, 3)
    columns = np.array([0, 255, 255] if output_size == "working" else [0, 0, 255, 255, 255, 255])
    np.testing.assert_array_equal(photo.alpha, np.broadcast_to(columns, shape))


def test_quality_reaches_the_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    for quality in (10, 95):
        jobs = [Job(tmp_path / "a.png", tmp_path / f"{quality}.jpg")]
        cartoonize_files(Inverter(), jobs, quality=quality, **SETTINGS)
    sizes = [(tmp_path / f"{quality}.jpg").stat().st_size for quality in (10, 95)]
    assert sizes[0] < sizes[1] / 2
