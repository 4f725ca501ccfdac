from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import ray

from tests.distributed.test_worker import settings_for
from tests.distributed.works import DiesOnce
from wbc_tf.distributed.dispatch import WorkerLostError
from wbc_tf.distributed.engine import (
    EngineError,
    RayWorker,
    Room,
    connected,
    find_room,
    share_model,
)
from wbc_tf.distributed.packed_model import pack_model
from wbc_tf.inference.cartoonizer import MemoryBudgetError


def node(cores: float, gpus: float = 0, *, alive: bool = True) -> dict[str, Any]:
    return {"Alive": alive, "Resources": {"CPU": cores, "GPU": gpus}}


@pytest.mark.parametrize(
    ("nodes", "workers", "gpus", "room"),
    [
        ([node(8)], None, 0.0, (1, 8)),
        ([node(8)], 3, 0.0, (3, 2)),
        ([node(8), node(4), node(16, alive=False)], None, 0.0, (2, 4)),
        ([node(0), node(6), node(6)], 5, 0.0, (5, 2)),
        ([node(8), node(8, 2)], None, 0.5, (4, 2)),
        ([node(8, 1), node(8, 1)], 2, 1.0, (2, 8)),
    ],
)
def test_workers_share_the_cores(
    monkeypatch: pytest.MonkeyPatch, nodes: list[Any], workers: Any, gpus: float, room: tuple
) -> None:
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    assert find_room(workers, gpus) == Room(*room, gpus)


@pytest.mark.parametrize(
    ("workers", "gpus", "message"),
    [
        (9, 0.0, "--workers=9: the cluster has 8 cores, which is enough for 8"),
        (2, 1.0, "8 cores and 1 GPUs, which is enough for 1"),
        (None, 2.0, "a free GPU"),
    ],
)
def test_what_does_not_fit_is_said(
    monkeypatch: pytest.MonkeyPatch, workers: Any, gpus: float, message: str
) -> None:
    monkeypatch.setattr(ray, "nodes", lambda: [node(8, 1)])
    with pytest.raises(EngineError, match=message):
        find_room(workers, gpus)


def test_an_address_without_a_cluster_is_named() -> None:
    with (
        pytest.raises(EngineError, match=r"--address=127\.0\.0\.1:1: no Ray cluster"),
        connected("127.0.0.1:1"),
    ):
        pytest.fail("there is none")


def test_errors_arrive_and_a_process_that_is_killed_is_a_lost_worker(
    ray_address: str, tiny_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with connected(ray_address):
        model = share_model(pack_model(tiny_model))
        worker = RayWorker(
            Room(1, 1, 0.0), model, settings_for(tmp_path, memory_budget=1), at_once=2
        )
        with pytest.raises(MemoryBudgetError, match="memory budget of 1 MB"):
            worker.ready.result(timeout=600)
        # One process is enough: to start it takes as long as all the rest.
        ray.get(worker._actor.load.remote(model, settings_for(tmp_path)))
        lost = worker.do(DiesOnce(str(tmp_path / "mark")))
        with pytest.raises(WorkerLostError) as error:
            lost.result(timeout=600)
        # What Ray says of it depends on how soon it learns of the death.
        assert "\n" not in str(error.value)
        worker.stop()
    assert capfd.readouterr().out == ""
