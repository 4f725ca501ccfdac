from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Outcome
from wbc_tf import cluster
from wbc_tf.cli.interrupts import Interrupted
from wbc_tf.distributed import engine, run
from wbc_tf.distributed.dispatch import DispatchError
from wbc_tf.inference.engines import DeviceError
from wbc_tf.inference.report import Entry


def test_a_dry_run_shows_what_would_become_of_each(
    call: Callable, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").touch()
    outcome = call(cluster, f"--input={photos}", f"--output={tmp_path / 'out'}", "--dry_run")
    assert outcome.status == 0
    assert outcome.out.splitlines() == [
        f"{photos}/a.png -> {tmp_path}/out/a.png (there already, skipped)",
        f"{photos}/b.jpg -> {tmp_path}/out/b.jpg",
        f"{photos}/c.mkv -> {tmp_path}/out/c.mkv",
    ]
    assert "notes.txt: ignored" in outcome.err


@pytest.fixture
def ran(
    call: Callable[..., Outcome], photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Calls the command with a stand-in for Ray, and one for the work on the cluster."""

    def ran(work: Callable[..., None]) -> Outcome:
        monkeypatch.setattr(engine, "connected", lambda *_, **__: contextlib.nullcontext())
        monkeypatch.setattr(engine, "find_room", lambda *_: engine.Room(1, 2, 0.0))
        monkeypatch.setattr(run, "cartoonize_on_cluster", work)
        return call(cluster, f"--input={photos}", f"--output={tmp_path / 'out'}")

    return ran


def test_the_exit_status_says_what_became_of_the_run(ran: Callable[..., Outcome]) -> None:
    def work(listed: Any, model: Any, settings: Any, room: Any, listener: Any) -> None:
        assert settings.threads == 2
        assert settings.video.segment_seconds == 60.0
        listener.done(Entry("a.png", "out/a.png", "written"))

    outcome = ran(work)
    assert (outcome.status, outcome.out) == (0, "1 written, 0 skipped, 0 failed\n")

    def stops(*arguments: Any) -> None:
        work(*arguments)
        raise DispatchError("the disk is full")

    outcome = ran(stops)
    assert (outcome.status, outcome.out) == (1, "1 written, 0 skipped, 0 failed\n")
    assert "cluster: the disk is full" in outcome.err

    def refuses(*arguments: Any) -> None:
        raise DeviceError("no GPU here")

    outcome = ran(refuses)
    assert (outcome.status, outcome.out) == (2, "")
    assert "no GPU here" in outcome.err

    def interrupted(*arguments: Any) -> None:
        raise Interrupted(signal.SIGTERM)

    outcome = ran(interrupted)
    assert outcome.status == 143
    assert "the same call goes on where this one stopped" in outcome.err


def test_without_ray_its_extra_is_named(
    call: Callable[..., Outcome], photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wbc_tf.distributed.engine", None)
    outcome = call(cluster, f"--input={photos}", f"--output={tmp_path / 'out'}")
    assert outcome.status == 2
    assert "pip install 'wbc_tf[cluster]'" in outcome.err
