from __future__ import annotations

import json
import sys

import pytest
import tensorflow as tf
from absl import logging

from tests.fresh import in_fresh_process
from tests.training.tiny_method import TinyMethod
from wbc_tf.training.checkpoints import find_steps
from wbc_tf.training.logs import LogError, RunLogs, steps_logged
from wbc_tf.training.loop import LoopSettings, train


@pytest.fixture
def warnings(monkeypatch):
    found = []
    monkeypatch.setattr(logging, "warning", lambda text, *args: found.append(text % args))
    return found


def steps(workdir):
    return [json.loads(line)["step"] for line in (workdir / "losses.jsonl").open("rb")]


def test_a_resumed_run_drops_what_its_checkpoint_does_not_know(tmp_path, warnings):
    logs = RunLogs(tmp_path, start_step=0)
    for step in range(1, 6):
        logs.scalars(step, "main", {"loss": step / 10})
    logs.close()
    with (tmp_path / "losses.jsonl").open("a") as stream:
        stream.write('{"step": 6, "phase": "ma')  # cut off by a kill
    assert steps_logged(tmp_path) == 5

    logs = RunLogs(tmp_path, start_step=3)
    logs.scalars(4, "main", {"loss": 0.9})
    logs.close()
    records = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert [(record["step"], record["loss"]) for record in records] == [
        (1, 0.1),
        (2, 0.2),
        (3, 0.3),
        (4, 0.9),
    ]
    assert warnings == []


def test_damaged_lines_are_counted_and_cost_no_others(tmp_path, warnings):
    lines = [json.dumps({"step": step, "phase": "main", "loss": 0.5}).encode() for step in range(8)]
    lines[2] = b"\xff\x00garbage"
    lines[4] = b"[4]"
    lines[5] = lines[5].replace(b"5,", b"6,")  # the step of another line
    (tmp_path / "losses.jsonl").write_bytes(b"\n".join(lines[1:]))
    logs = RunLogs(tmp_path, start_step=7)
    logs.scalars(8, "main", {"loss": 0.9})
    logs.close()
    assert steps(tmp_path) == [1, 3, 6, 7, 8]
    assert "3 of 7 steps are missing or damaged" in warnings[0]


def test_curves_have_some_steps_and_losses_all(tmp_path):
    logs = RunLogs(tmp_path, start_step=0, curve_every=3)
    for step in range(1, 8):
        logs.scalars(step, "main", {"loss": step / 10})
    logs.close()
    assert steps(tmp_path) == list(range(1, 8))
    (events,) = (tmp_path / "tensorboard").glob("events*")
    points = [
        (event.step, value.tag)
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
    ]
    assert points == [(3, "main/loss"), (6, "main/loss")]


def test_figures_reach_tensorboard(tmp_path):
    logs = RunLogs(tmp_path, start_step=0)
    logs.scalars(1, "main", {"loss": 0.25})
    logs.sample(1, {"photo": tf.zeros([1, 5, 9, 3]), "output": tf.ones([1, 5, 9, 3])})
    logs.close()
    (events,) = (tmp_path / "tensorboard").glob("events*")
    tags = {
        value.tag
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
    }
    assert tags == {"main/loss", "samples"}


def train_on_a_full_disk(folder, name, curve_every):
    """What a run says; no file may grow beyond 20 kB."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    settings = LoopSettings(checkpoint_every=50, sample_every=1000, log_every=curve_every)
    method, strategy = TinyMethod(main_steps=300), tf.distribute.get_strategy()
    with pytest.raises(LogError) as raised:
        train(method, workdir=folder / name, settings=settings, strategy=strategy)
    return str(raised.value)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process")
def test_a_full_disk_is_a_sentence_and_leaves_what_is_there(tmp_path):
    for name, curve_every in (("tensorboard", 1), ("losses.jsonl", 1000)):
        told = in_fresh_process(train_on_a_full_disk, tmp_path, name, curve_every)
        assert told.startswith(f"{tmp_path / name / name}: cannot be written ("), told
        assert "goes on from the last checkpoint" in told
        assert find_steps(tmp_path / name / "checkpoints")
