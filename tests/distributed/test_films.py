from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.distributed.works import invert, tools_for
from tests.video.clips import look, make
from wbc_tf.distributed import films
from wbc_tf.distributed.films import DivideWork, Film, JoinWork, SegmentWork
from wbc_tf.distributed.listing import FileJob
from wbc_tf.distributed.storage import join, storage_of
from wbc_tf.distributed.work import LOST, Outcome, Tools
from wbc_tf.inference.jobs import Job
from wbc_tf.inference.segments import segments_folder
from wbc_tf.inference.settings import DrawSettings, VideoSettings
from wbc_tf.inference.video import cartoonize_video

SETTINGS = VideoSettings(DrawSettings(short_side=0), codec="ffv1", segment_seconds=1.0)
FRAMES = 100


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Four seconds with sound."""
    (tmp_path / "in").mkdir()
    return make(
        tmp_path / "in" / "a.mkv",
        times=range(FRAMES),
        sound=[("aac", "mono")],
        sound_seconds=4.0,
        size=(48, 80),
    )


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return tools_for(tmp_path, SETTINGS)


def steps(work: Any, tools: Tools) -> Iterator[tuple[Any, Outcome]]:
    """The works of a film one after the other, as a single worker would do them."""
    waiting = [work]
    while waiting:
        work = waiting.pop(0)
        if not work.needed:
            continue
        answer = pickle.loads(pickle.dumps(work)).do(tools)  # it goes to another process
        outcome = work.then(pickle.loads(pickle.dumps(answer)))
        waiting += outcome.works
        yield work, outcome


@pytest.fixture(params=["disk", "url"])
def job(request: pytest.FixtureRequest, clip: Path, tmp_path: Path) -> FileJob:
    if request.param == "disk":
        return FileJob(str(clip), str(tmp_path / "out" / "b.mkv"))
    root = f"memory://{tmp_path.name}"
    storage_of(root).write(join(root, "in/a.mkv"), clip.read_bytes())
    return FileJob(join(root, "in/a.mkv"), join(root, "out/b.mkv"))


def test_a_film_in_segments_is_the_film_in_one_piece(
    job: FileJob, clip: Path, tools: Tools, tmp_path: Path
) -> None:
    done = list(steps(DivideWork(Film(job)), tools))
    assert [type(work) for work, _ in done] == [DivideWork, *4 * [SegmentWork], JoinWork]
    assert [outcome.progress for _, outcome in done[:-1]] == [
        (job.source, 25 * number, FRAMES) for number in range(5)
    ]
    last = done[-1][1]
    assert last.finished_film == job.source
    piece = Job(clip, tmp_path / "piece.mkv")
    expected = cartoonize_video(invert, piece, replace(SETTINGS, segment_seconds=None))
    (entry,) = last.entries
    assert entry.seconds > 0
    assert replace(entry, seconds=0.0) == replace(
        expected, source=job.source, target=job.target, seconds=0.0
    )
    store, folder = storage_of(job.target), job.target.rpartition("/")[0]
    assert list(store.names(folder, recursive=True)) == ["b.mkv"]
    (tmp_path / "joined.mkv").write_bytes(store.read(job.target))
    one, many = look(piece.target), look(tmp_path / "joined.mkv")
    assert (many.times, many.packets) == (one.times, one.packets)
    np.testing.assert_array_equal(np.stack(many.frames), np.stack(one.frames))
    ((_, again),) = steps(DivideWork(Film(job)), tools)
    assert [each.status for each in again.entries] == ["skipped"]


def test_only_missing_segments_are_made_again(job: FileJob, tools: Tools) -> None:
    first = steps(DivideWork(Film(job)), tools)
    for _ in range(3):  # the driver is killed after two segments
        next(first)
    assert not storage_of(job.target).exists(job.target)
    made = [work.segment.number for work, _ in first_segments(job, tools)]
    assert made == [2, 3]


def first_segments(job: FileJob, tools: Tools) -> list[tuple[SegmentWork, Outcome]]:
    return [
        item for item in steps(DivideWork(Film(job)), tools) if isinstance(item[0], SegmentWork)
    ]


def test_segments_of_one_machine_are_of_use(clip: Path, tmp_path: Path, tools: Tools) -> None:
    from wbc_tf.inference.segments import cartoonize_in_segments

    job = Job(clip, tmp_path / "out" / "b.mkv")
    drawn = 0

    def broken_off(rgb: np.ndarray, **_: object) -> np.ndarray:
        nonlocal drawn
        drawn += len(rgb) if rgb.shape[1] == 48 else 0
        if drawn > 60:
            raise KeyboardInterrupt
        return invert(rgb)

    with pytest.raises(KeyboardInterrupt):
        cartoonize_in_segments(broken_off, job, SETTINGS)
    named = FileJob(str(job.source), str(job.target))
    assert len(first_segments(named, tools)) < 4


def test_a_lost_worker_leaves_what_it_had_finished(
    job: FileJob, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = steps(DivideWork(Film(job)), tools)
    work = next(item for item, _ in done if isinstance(item, SegmentWork))
    monkeypatch.setattr(films, "make_segment", lambda *_: pytest.fail("it is made already"))
    (again,) = work.again()
    assert again.do(tools).frames == 25


def test_a_film_that_was_joined_when_the_worker_was_lost_is_done(
    job: FileJob, tools: Tools
) -> None:
    film = Film(job)
    for work, outcome in steps(DivideWork(film), tools):
        last, end = work, outcome
    (again,) = last.again()
    (entry,) = again.then(again.do(tools)).entries
    assert (entry.status, entry.notes) == ("written", (LOST,))
    assert end.entries[0].status == "written"


def test_a_short_film_is_made_at_once(tmp_path: Path, tools: Tools) -> None:
    clip = make(tmp_path / "a.mkv")
    job = FileJob(str(clip), str(tmp_path / "b.mkv"))
    ((_, outcome),) = steps(DivideWork(Film(job)), tools)
    assert [(entry.status, entry.frames) for entry in outcome.entries] == [("written", 6)]
    assert sorted(os.listdir(tmp_path)) == ["a.mkv", "b.mkv"]


def test_a_broken_film_is_named(job: FileJob, tools: Tools) -> None:
    data = storage_of(job.source).read(job.source)
    storage_of(job.source).write(job.source, data[: len(data) // 2])
    ((_, outcome),) = steps(DivideWork(Film(job)), tools)
    (entry,) = outcome.entries
    assert (entry.status, entry.source) == ("failed", job.source)
    assert job.source in str(entry.error)
    assert str(tools.scratch) not in str(entry.error)


def test_a_film_fails_once(job: FileJob, tmp_path: Path) -> None:
    def model(rgb: np.ndarray, **_: object) -> np.ndarray:
        if rgb.shape[1] == 48:
            raise ValueError("cannot be drawn")
        return rgb

    done = list(steps(DivideWork(Film(job)), tools_for(tmp_path, SETTINGS, model)))
    assert [type(work) for work, _ in done] == [DivideWork, SegmentWork]
    (entry,) = done[-1][1].entries
    assert entry.error == f"{job.source} -> {job.target}: cannot be drawn"
    assert not storage_of(job.target).exists(job.target)


def test_a_film_that_no_worker_survives_fails(job: FileJob) -> None:
    work = DivideWork(Film(job))
    assert work.alone
    (entry,) = work.given_up("4 workers were lost with it").entries
    assert (entry.status, work.needed) == ("failed", False)
    assert segments_folder(Path("a.mkv")).name.endswith(".segments")
