from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.distributed.works import invert, tools_for
from wbc_tf.distributed import photos
from wbc_tf.distributed.listing import FileJob
from wbc_tf.distributed.photos import PhotoWork
from wbc_tf.distributed.storage import join, storage_of
from wbc_tf.distributed.work import LOST
from wbc_tf.inference.jobs import Job, plan_jobs
from wbc_tf.inference.photos import cartoonize_photos
from wbc_tf.inference.settings import DrawSettings, VideoSettings

SETTINGS = VideoSettings(DrawSettings(short_side=0), max_pixels=100_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of two sizes, one with transparency, an animation, and three that are broken."""
    folder = tmp_path / "in"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(5):
        rgb = random.integers(0, 256, (20 + number % 2, 31, 3 + number // 4), dtype=np.uint8)
        Image.fromarray(rgb).save(folder / f"{number}.png")
    frames = [Image.fromarray(random.integers(0, 256, (9, 8, 3), dtype=np.uint8)) for _ in "ab"]
    frames[0].save(folder / "moves.gif", save_all=True, append_images=frames[1:], duration=50)
    Image.fromarray(random.integers(0, 256, (24, 16, 3), dtype=np.uint8)).save(folder / "p.jpg")
    (folder / "q.jpg").write_bytes(b"no picture")
    (folder / "r.jpg").write_bytes((folder / "p.jpg").read_bytes()[:200])
    Image.new("RGB", (1000, 200)).save(folder / "s.png")
    return folder


@pytest.mark.parametrize("where", ["disk", "url"])
@pytest.mark.parametrize("pixels", [1000, 16_000_000])
def test_files_and_entries_are_those_of_one_machine(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, pixels: int
) -> None:
    monkeypatch.setattr(photos, "_PIXELS", pixels)
    told: list = []

    class Listener:
        begun = frames = staticmethod(lambda *_: None)
        done = staticmethod(told.append)

    planned = plan_jobs([str(folder)], tmp_path / "one")
    arguments = {"quality": 90, "max_pixels": SETTINGS.max_pixels, "listener": Listener()}
    cartoonize_photos(invert, planned, SETTINGS.draw, **arguments)

    root = str(tmp_path) if where == "disk" else f"memory://{tmp_path.name}"
    if where == "url":
        for path in folder.iterdir():
            storage_of(root).write(join(root, f"in/{path.name}"), path.read_bytes())
    names = [(job.source.name, job.target.name) for job in planned]
    jobs = [FileJob(join(root, f"in/{a}"), join(root, f"many/{b}")) for a, b in names]
    work = PhotoWork(tuple(jobs))
    outcome = work.then(work.do(tools_for(tmp_path, SETTINGS)))

    def comparable(entries: list, folder: str) -> set:
        plain = [replace(entry, seconds=0.0) for entry in entries]
        return {repr(entry).replace(folder, "F") for entry in plain}

    many = {repr(replace(entry, seconds=0.0)) for entry in outcome.entries}
    one = {repr(replace(entry, seconds=0.0)) for entry in told}
    assert {text.replace("/many/", "/one/").replace(root, str(tmp_path)) for text in many} == one
    assert [entry.status for entry in outcome.entries].count("failed") == 3
    store = storage_of(root)
    assert sorted(store.names(join(root, "many"), recursive=True)) == sorted(
        path.name for path in (tmp_path / "one").iterdir()
    )
    for path in (tmp_path / "one").iterdir():
        assert store.read(join(root, f"many/{path.name}")) == path.read_bytes()


def test_what_is_there_is_not_made_again(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"there")
    work = PhotoWork((FileJob(str(folder / "0.png"), str(tmp_path / "0.png")),))
    (entry,) = work.then(work.do(tools_for(tmp_path, SETTINGS))).entries
    assert (entry.status, (tmp_path / "0.png").read_bytes()) == ("skipped", b"there")
    (again,) = work.again()
    assert (work.alone, again.alone) == (False, True)
    (entry,) = again.then(again.do(tools_for(tmp_path, SETTINGS))).entries
    assert (entry.status, entry.notes) == ("written", (LOST,))
    (entry,) = work.then(work.do(tools_for(tmp_path, SETTINGS, overwrite=True))).entries
    assert entry.status == "written"
    assert (tmp_path / "0.png").read_bytes() != b"there"


def test_photos_of_a_lost_worker_go_one_by_one(tmp_path: Path) -> None:
    jobs = tuple(FileJob(f"{name}.png", f"out/{name}.png") for name in "ab")
    assert [work.jobs for work in PhotoWork(jobs).again()] == [(job,) for job in jobs]
    outcome = PhotoWork(jobs).given_up("4 workers were lost with it")
    assert [(entry.source, entry.status) for entry in outcome.entries] == [
        ("a.png", "failed"),
        ("b.png", "failed"),
    ]
    assert outcome.entries[0].error == "a.png: 4 workers were lost with it"


def test_only_the_guilty_one_of_a_batch_fails(folder: Path, tmp_path: Path) -> None:
    bad = np.asarray(Image.open(folder / "2.png"))

    def model(rgb: np.ndarray, **_: object) -> np.ndarray:
        for picture in rgb if rgb.ndim == 4 else [rgb]:
            if np.array_equal(picture, bad):
                raise ValueError("not this one")
        return rgb

    jobs = [FileJob(str(folder / f"{n}.png"), str(tmp_path / f"{n}.png")) for n in (0, 2)]
    work = PhotoWork(tuple(jobs))
    entries = work.then(work.do(tools_for(tmp_path, SETTINGS, model))).entries
    assert [entry.status for entry in entries] == ["written", "failed"]
    assert "2.png: not this one" in str(entries[1].error)


def test_a_full_disk_stops_the_run(folder: Path, tmp_path: Path, monkeypatch: object) -> None:
    job = Job(folder / "0.png", tmp_path / "0.png")

    class Full:
        def exists(self, name: str) -> bool:
            return False

        def write(self, name: str, data: bytes) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(photos, "storage_of", lambda name: Full())
    work = PhotoWork((FileJob(str(job.source), str(job.target)),))
    outcome = work.then(work.do(tools_for(tmp_path, SETTINGS)))
    assert f"{tmp_path}: cannot write there (No space left on device)" in str(outcome.stop)
