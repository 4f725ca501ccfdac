from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wbc_tf.distributed.packed_model import pack_model
from wbc_tf.distributed.worker import Worker, WorkerSettings
from wbc_tf.inference import device
from wbc_tf.inference.cartoonizer import Cartoonizer, MemoryBudgetError
from wbc_tf.inference.settings import VideoSettings

PHOTO = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)


@dataclass(frozen=True)
class Draws:
    """Stands in for a work."""

    def do(self, tools: Any) -> Any:
        return tools.cartoonizer(PHOTO), tools.quality, os.getcwd()


def settings_for(folder: Path, **changes: Any) -> WorkerSettings:
    given = {"device": "cpu", "precision": "float32", "memory_budget": 256, "quality": 70}
    given |= {"video": VideoSettings(), "overwrite": False, "threads": 1, "folder": str(folder)}
    return WorkerSettings(**{**given, **changes})


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What a worker asks for; in this process TensorFlow runs already."""
    asked: list[int] = []
    monkeypatch.setattr(device, "use_threads", asked.append)
    return asked


def test_a_worker_draws_with_the_model_that_it_was_given(
    tiny_model: Path, tmp_path: Path, threads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(os.getcwd())
    worker = Worker()
    worker.load(pack_model(tiny_model), settings_for(tmp_path))
    drawn, quality, folder = worker.do(Draws())
    np.testing.assert_array_equal(drawn, Cartoonizer.load(tiny_model)(PHOTO))
    assert (quality, folder, threads) == (70, str(tmp_path), [1])
    worker.forget("s3://b/film.mkv")  # of which there is no copy


def test_what_the_machine_cannot_do_is_said(
    tiny_model: Path, tmp_path: Path, threads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(os.getcwd())
    with pytest.raises(MemoryBudgetError):
        Worker().load(pack_model(tiny_model), settings_for(tmp_path, memory_budget=1))
