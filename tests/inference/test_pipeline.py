from __future__ import annotations

import errno
import json
import os
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wbc_tf.files.pictures import Animation, encode_animation, read_photo, read_rgb
from wbc_tf.inference import pipeline
from wbc_tf.inference.jobs import Job, Tally
from wbc_tf.inference.pipeline import OutputError, cartoonize_files
from wbc_tf.inference.report import Report


class Inverter:
    """Stands in for a model: dark for light, and every second pixel at the working size."""

    def __init__(self) -> None:
        self.calls = 0
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, rgb: np.ndarray, *, short_side: int, output_size: str) -> np.ndarray:
        self.calls += 1
        self.shapes.append(rgb.shape)
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


def _jobs(folder: Path, sizes: list[tuple[int, int]]) -> list[Job]:
    (folder / "in").mkdir()
    jobs = []
    for number, (height, width) in enumerate(sizes):
        path = folder / "in" / f"{number:03}.png"
        Image.new("RGB", (width, height), (number,) * 3).save(path)
        jobs.append(Job(path, folder / "out" / path.name))
    return jobs


def test_neighbours_of_one_size_are_drawn_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "_BATCH_PIXELS", 3 * 4 * 6)
    sizes = [(4, 6)] * 4 + [(6, 4)] * 2 + [(4, 6)] + [(20, 30)] * 2
    jobs = _jobs(tmp_path, sizes)
    model = Inverter()
    assert cartoonize_files(model, jobs, **SETTINGS).written == len(sizes)
    assert model.shapes == [
        *((3, 4, 6, 3), (4, 6, 3), (2, 6, 4, 3), (4, 6, 3)),
        *((20, 30, 3), (20, 30, 3)),  # larger than a batch may be: alone
    ]
    for number, (job, size) in enumerate(zip(jobs, sizes)):
        np.testing.assert_array_equal(read_rgb(job.target), np.full((*size, 3), 255 - number))


def test_one_bad_picture_does_not_spoil_its_batch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = [Job(_save(tmp_path / f"{n}.png", n), tmp_path / f"out{n}.png") for n in (98, 99, 100)]
    tally = cartoonize_files(Inverter(), jobs, **SETTINGS)
    assert tally == Tally(written=2, skipped=0, failed=1)
    assert "99.png -> " in capsys.readouterr().err
    assert not (tmp_path / "out99.png").exists()


@pytest.mark.parametrize("limit", [1, 48, 200])
def test_pixels_in_hand_are_bounded_and_nothing_gets_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(pipeline, "_PIXELS_IN_HAND", limit)
    jobs = _jobs(tmp_path, [(4, 6), (4, 6), (9, 9), (4, 6), (40, 60), (4, 6)] * 5)
    jobs.insert(3, Job(tmp_path / "missing.png", tmp_path / "out" / "missing.png"))
    most = 0
    run = pipeline._Run._draw

    def draw(self: pipeline._Run, batch: list) -> None:
        nonlocal most
        most = max(most, self._pixels_in_hand)
        run(self, batch)

    monkeypatch.setattr(pipeline._Run, "_draw", draw)
    tally = cartoonize_files(Inverter(), jobs, **SETTINGS)
    assert tally == Tally(written=30, skipped=0, failed=1)
    assert most <= limit


def test_reading_drawing_and_writing_overlap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first picture cannot be written before the second is drawn, nor drawn before the third
    # is read: a loop that takes one step after the other would wait in vain.
    jobs = _jobs(tmp_path, [(4, 6), (6, 4), (5, 5)])
    third_read, second_drawn = threading.Event(), threading.Event()
    read, write = pipeline.read_photo, pipeline.write_whole

    def reading(path: Path, **options: object) -> object:
        photo = read(path, **options)
        if path == jobs[2].source:
            third_read.set()
        return photo

    def writing(path: Path, data: bytes) -> None:
        if path == jobs[0].target:
            assert second_drawn.wait(30)
        write(path, data)

    class Model(Inverter):
        def __call__(self, rgb: np.ndarray, **options: object) -> np.ndarray:
            assert third_read.wait(30)
            if rgb.shape == (6, 4, 3):
                second_drawn.set()
            return super().__call__(rgb, **options)

    monkeypatch.setattr(pipeline, "read_photo", reading)
    monkeypatch.setattr(pipeline, "write_whole", writing)
    assert cartoonize_files(Model(), jobs, **SETTINGS).written == 3


def test_the_report_is_in_the_order_of_the_jobs(tmp_path: Path) -> None:
    jobs = _jobs(tmp_path, [(4, 6)] * 5)
    jobs[1].source.write_bytes(b"")
    jobs[3].target.parent.mkdir()
    jobs[3].target.touch()
    with Report(tmp_path / "report.jsonl") as report:
        cartoonize_files(Inverter(), jobs, report=report, **SETTINGS)
    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert [line["source"] for line in lines] == [str(job.source) for job in jobs]
    assert [line["status"] for line in lines] == [
        *("written", "failed", "written", "skipped", "written")
    ]
    assert "an empty file" in lines[1]["error"]
    assert (lines[0]["width"], lines[0]["height"], lines[0]["frames"]) == (6, 4, 1)
    assert lines[0]["seconds"] > 0


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_disk_is_told_once_and_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    jobs = _jobs(tmp_path, [(4, 6 + n) for n in range(40)])
    write = pipeline.write_whole

    def fill_up(path: Path, data: bytes) -> None:
        if path >= jobs[2].target:
            raise OSError(code, os.strerror(code))
        write(path, data)

    monkeypatch.setattr(pipeline, "write_whole", fill_up)
    with pytest.raises(OutputError, match=rf"out: .*{os.strerror(code)}.*with 2 written; call ag"):
        cartoonize_files(Inverter(), jobs, **SETTINGS)
    assert sorted(os.listdir(tmp_path / "out")) == ["000.png", "001.png"]
    monkeypatch.undo()
    tally = cartoonize_files(Inverter(), jobs, **SETTINGS)
    assert tally == Tally(written=38, skipped=2, failed=0)


def test_an_interrupt_ends_it_between_two_files(tmp_path: Path) -> None:
    jobs = _jobs(tmp_path, [(4, 6 + n) for n in range(40)])

    class Interrupted(Inverter):
        def __call__(self, rgb: np.ndarray, **options: object) -> np.ndarray:
            if self.calls == 5:
                raise KeyboardInterrupt
            return super().__call__(rgb, **options)

    with pytest.raises(KeyboardInterrupt):
        cartoonize_files(Interrupted(), jobs, **SETTINGS)
    there = sorted(os.listdir(tmp_path / "out")) if (tmp_path / "out").exists() else []
    assert there == [f"{n:03}.png" for n in range(len(there))], "no temporary files"
    tally = cartoonize_files(Inverter(), jobs, **SETTINGS)
    assert tally == Tally(written=40 - len(there), skipped=len(there), failed=0)


@pytest.fixture
def animation() -> Animation:
    blocks = np.random.default_rng(3).integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)
    return Animation(blocks, None, (40.0, 120.0, 70.0), 2)


@pytest.mark.parametrize(("file_format", "extension"), [("GIF", ".gif"), ("PNG", ".png")])
def test_every_frame_is_drawn(
    tmp_path: Path, animation: Animation, file_format: str, extension: str
) -> None:
    source, target = tmp_path / f"a{extension}", tmp_path / f"b{extension}"
    source.write_bytes(encode_animation(animation, file_format=file_format))
    model = Inverter()
    assert cartoonize_files(model, [Job(source, target)], **SETTINGS).written == 1
    assert model.shapes == [(3, 4, 6, 3)]
    cartoon = read_photo(target, animated=True).animation
    assert cartoon is not None
    np.testing.assert_array_equal(cartoon.rgb, 255 - animation.rgb)
    assert (cartoon.milliseconds, cartoon.loop) == (animation.milliseconds, 2)


def test_what_is_lost_is_noted_once_for_all(
    tmp_path: Path, animation: Animation, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.gif", "b.gif"):
        (tmp_path / name).write_bytes(encode_animation(animation, file_format="GIF"))
    _save(tmp_path / "c.png", mode="RGBA")
    (tmp_path / "c.png").rename(tmp_path / "c.webp")
    jobs = [Job(tmp_path / name, tmp_path / f"{name}.jpg") for name in ("a.gif", "b.gif", "c.webp")]
    assert cartoonize_files(Inverter(), jobs, **SETTINGS).written == 3
    np.testing.assert_allclose(read_rgb(jobs[0].target), 255 - animation.rgb[0], atol=40)
    assert capsys.readouterr().err.splitlines() == [
        f"note: {tmp_path / 'a.gif'} and 1 more: only the first of 3 frames: "
        "JPEG is another format",
        f"note: {tmp_path / 'c.webp'}: named like WEBP, but it is PNG",
        f"note: {tmp_path / 'c.webp'}: transparency laid over white: JPEG has none",
    ]
