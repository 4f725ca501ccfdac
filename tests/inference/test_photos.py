from __future__ import annotations

import errno
import json
import os
import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.animations import moving, pixels
from wbc_tf.files.animation import Animation
from wbc_tf.files.pictures import encode_animation, read_photo, read_rgb
from wbc_tf.inference import photos
from wbc_tf.inference.jobs import Job, OutputError, Tally
from wbc_tf.inference.photos import cartoonize_photos
from wbc_tf.inference.progress import Console, Silence
from wbc_tf.inference.report import Entry, Report
from wbc_tf.inference.settings import DrawSettings


class Inverter:
    """Stands in for a model: dark for light, and every second pixel at the working size."""

    def __init__(self) -> None:
        self.calls = 0
        self.shapes: list[tuple[int, ...]] = []

    def __call__(
        self, rgb: np.ndarray, *, short_side: int, output_size: str = "input"
    ) -> np.ndarray:
        self.calls += 1
        self.shapes.append(rgb.shape)
        if (rgb[..., 0, 0, 0] == 99).any():
            raise ValueError("the model stumbled")
        return 255 - (rgb if output_size == "input" else rgb[..., ::2, ::2, :])


SETTINGS = DrawSettings(short_side=0)


def _save(path: Path, level: int = 10, mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 4), (level,) * 3).convert(mode).save(path)
    return path


def test_each_picture_becomes_its_cartoon(tmp_path: Path) -> None:
    jobs = [
        Job(_save(tmp_path / f"{level}.png", level), tmp_path / "out" / "deep" / f"{level}.png")
        for level in (10, 20)
    ]
    assert cartoonize_photos(Inverter(), jobs, SETTINGS) == Tally(written=2, skipped=0, failed=0)
    for level in (10, 20):
        cartoon = read_rgb(tmp_path / "out" / "deep" / f"{level}.png")
        np.testing.assert_array_equal(cartoon, np.full((4, 6, 3), 255 - level))


def test_what_is_there_is_skipped_unless_it_may_be_overwritten(tmp_path: Path) -> None:
    jobs = [Job(_save(tmp_path / "a.png"), tmp_path / "b.png")]
    (tmp_path / "b.png").write_bytes(b"an earlier result")
    model = Inverter()
    assert cartoonize_photos(model, jobs, SETTINGS) == Tally(written=0, skipped=1, failed=0)
    assert (tmp_path / "b.png").read_bytes() == b"an earlier result"
    assert model.calls == 0
    tally = cartoonize_photos(model, jobs, SETTINGS, overwrite=True)
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
    with Console() as console:
        tally = cartoonize_photos(Inverter(), jobs, SETTINGS, listener=console)
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


def test_quality_reaches_the_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    for quality in (10, 95):
        jobs = [Job(tmp_path / "a.png", tmp_path / f"{quality}.jpg")]
        cartoonize_photos(Inverter(), jobs, SETTINGS, quality=quality)
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


def test_neighbours_of_one_size_are_drawn_together_in_growing_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "_BATCH_PIXELS", 3 * 4 * 6)
    sizes = [(4, 6)] * 8 + [(6, 4)] * 2 + [(4, 6)] + [(20, 30)] * 2
    jobs = _jobs(tmp_path, sizes)
    jobs.insert(5, Job(tmp_path / "missing.png", tmp_path / "out" / "missing.png"))
    model = Inverter()
    with Report(tmp_path / "report.jsonl") as report, Console(report) as console:
        tally = cartoonize_photos(model, jobs, SETTINGS, listener=console)
    assert tally == Tally(written=len(sizes), failed=1)
    assert model.shapes == [
        (4, 6, 3),  # alone, so that a result is there soon
        *((2, 4, 6, 3), (3, 4, 6, 3), (2, 4, 6, 3)),
        *((2, 6, 4, 3), (4, 6, 3)),
        *((20, 30, 3), (20, 30, 3)),  # larger than a batch may be: alone
    ]
    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert [line["source"] for line in lines] == [str(job.source) for job in jobs]
    del jobs[5]
    for number, (job, size) in enumerate(zip(jobs, sizes)):
        np.testing.assert_array_equal(read_rgb(job.target), np.full((*size, 3), 255 - number))


def test_one_bad_picture_does_not_spoil_its_batch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = [
        Job(_save(tmp_path / f"{n}.png", n), tmp_path / f"out{n}.png") for n in (97, 98, 99, 100)
    ]
    with Console() as console:
        tally = cartoonize_photos(Inverter(), jobs, SETTINGS, listener=console)
    assert tally == Tally(written=3, skipped=0, failed=1)
    assert "99.png -> " in capsys.readouterr().err
    assert not (tmp_path / "out99.png").exists()


@pytest.mark.parametrize("capacity", [1, 96])
def test_few_photos_lie_read_or_drawn_and_nothing_gets_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capacity: int
) -> None:
    monkeypatch.setattr(photos, "_PIXELS_AHEAD", capacity)
    monkeypatch.setattr(photos, "_LEAST_COST", 1)
    jobs = _jobs(tmp_path, [(4, 6)] * 40)
    jobs.insert(3, Job(tmp_path / "missing.png", tmp_path / "out" / "missing.png"))
    read, lying = photos.read_job, []

    def reading(job: Job, **options: object) -> object:
        lying.append(job)
        return read(job, **options)

    class Model(Inverter):
        def __call__(self, rgb: np.ndarray, **options: object) -> np.ndarray:
            time.sleep(0.01)  # in which the readers could read all
            drawn = 1 if rgb.ndim == 3 else len(rgb)
            # Four photos may lie read, two are in this batch or just put off to the next.
            assert len(lying) <= 1 + drawn + max(1, capacity // 24) + 1
            del lying[:drawn]
            return super().__call__(rgb, **options)

    monkeypatch.setattr(photos, "read_job", reading)
    assert cartoonize_photos(Model(), jobs, SETTINGS) == Tally(written=40, failed=1)


def test_reading_drawing_and_writing_overlap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first picture cannot be written before the second is drawn, nor drawn before the third
    # is read: a loop that takes one step after the other would wait in vain.
    jobs = _jobs(tmp_path, [(4, 6), (6, 4), (5, 5)])
    third_read, second_drawn = threading.Event(), threading.Event()
    read, write = photos.read_job, photos.write_whole

    def reading(job: Job, **options: object) -> object:
        photo = read(job, **options)
        if job == jobs[2]:
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

    monkeypatch.setattr(photos, "read_job", reading)
    monkeypatch.setattr(photos, "write_whole", writing)
    assert cartoonize_photos(Model(), jobs, SETTINGS).written == 3


def test_a_listener_is_told_everything_in_the_order_of_the_jobs(tmp_path: Path) -> None:
    jobs = _jobs(tmp_path, [(4, 6)] * 5)
    jobs[1].source.write_bytes(b"")
    jobs[3].target.parent.mkdir()
    jobs[3].target.touch()
    told: list[object] = []

    class Told(Silence):
        def begun(self, total: int) -> None:
            told.append(total)

        def done(self, entry: Entry) -> None:
            told.append(entry)

    cartoonize_photos(Inverter(), jobs, SETTINGS, listener=Told())
    assert told[0] == 5
    assert [entry.source for entry in told[1:]] == [str(job.source) for job in jobs]
    assert [entry.status for entry in told[1:]] == [
        *("written", "failed", "written", "skipped", "written")
    ]
    assert "an empty file" in told[2].error
    assert (told[1].width, told[1].height, told[1].frames) == (6, 4, 1)
    assert told[1].seconds > 0


def test_a_full_disk_ends_it_and_what_is_there_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = _jobs(tmp_path, [(4, 6 + n) for n in range(40)])
    write = photos.write_whole

    def fill_up(path: Path, data: bytes) -> None:
        # The third is too large for what is left, the fourth is not.
        if path == jobs[2].target or path > jobs[3].target:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, data)

    monkeypatch.setattr(photos, "write_whole", fill_up)
    with pytest.raises(OutputError, match=r"out: .*No space left"), Console() as console:
        cartoonize_photos(Inverter(), jobs, SETTINGS, listener=console)
    assert console.tally == Tally(written=3)
    assert sorted(os.listdir(tmp_path / "out")) == ["000.png", "001.png", "003.png"]
    monkeypatch.undo()
    tally = cartoonize_photos(Inverter(), jobs, SETTINGS)
    assert tally == Tally(written=37, skipped=3, failed=0)


def test_a_folder_that_may_not_be_written_to_spoils_its_own_files_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = _jobs(tmp_path, [(4, 6)] * 3)
    jobs[0] = Job(jobs[0].source, tmp_path / "locked" / "0.png")
    write = photos.write_whole

    def refuse(path: Path, data: bytes) -> None:
        if path.parent.name == "locked":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        write(path, data)

    monkeypatch.setattr(photos, "write_whole", refuse)
    assert cartoonize_photos(Inverter(), jobs, SETTINGS) == Tally(written=2, failed=1)


def test_an_interrupt_ends_it_between_two_files(tmp_path: Path) -> None:
    jobs = _jobs(tmp_path, [(4, 6 + n) for n in range(40)])

    class Interrupted(Inverter):
        def __call__(self, rgb: np.ndarray, **options: object) -> np.ndarray:
            if self.calls == 5:
                raise KeyboardInterrupt
            return super().__call__(rgb, **options)

    with pytest.raises(KeyboardInterrupt):
        cartoonize_photos(Interrupted(), jobs, SETTINGS)
    there = sorted(os.listdir(tmp_path / "out")) if (tmp_path / "out").exists() else []
    assert there == [f"{n:03}.png" for n in range(len(there))], "no temporary files"
    tally = cartoonize_photos(Inverter(), jobs, SETTINGS)
    assert tally == Tally(written=40 - len(there), skipped=len(there), failed=0)


def test_two_calls_on_one_folder_share_the_work(tmp_path: Path) -> None:
    jobs = _jobs(tmp_path, [(4, 6 + n) for n in range(6)])
    others = []

    class Other(Inverter):
        """While the first photo is drawn, another call goes through the same folder."""

        def __call__(self, rgb: np.ndarray, **options: object) -> np.ndarray:
            if not self.calls:
                with Report(tmp_path / "report") as report, Console(report) as console:
                    cartoonize_photos(Inverter(), jobs, SETTINGS, listener=console)
                others.append(console.tally)
            return super().__call__(rgb, **options)

    model = Other()
    assert cartoonize_photos(model, jobs, SETTINGS) == Tally(written=1, skipped=5)
    assert model.calls == 1
    assert others == [Tally(written=5, skipped=1)]
    entry = json.loads((tmp_path / "report").read_text().splitlines()[0])
    assert entry["notes"] == ["left to another process, which is making it now"]
    assert sorted(os.listdir(tmp_path / "out")) == [job.target.name for job in jobs]


@pytest.fixture
def animation() -> Animation:
    blocks = np.random.default_rng(3).integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)
    return moving(blocks)


@pytest.mark.parametrize(("file_format", "extension"), [("GIF", ".gif"), ("PNG", ".png")])
def test_every_frame_is_drawn(
    tmp_path: Path, animation: Animation, file_format: str, extension: str
) -> None:
    source, target = tmp_path / f"a{extension}", tmp_path / f"b{extension}"
    source.write_bytes(encode_animation(animation, file_format=file_format))
    model = Inverter()
    assert cartoonize_photos(model, [Job(source, target)], SETTINGS).written == 1
    assert model.shapes == [(3, 4, 6, 3)]
    cartoon = read_photo(target, animated=True).animation
    np.testing.assert_array_equal(pixels(cartoon), 255 - pixels(animation))
    assert (cartoon.milliseconds, cartoon.loop) == (animation.milliseconds, 2)
