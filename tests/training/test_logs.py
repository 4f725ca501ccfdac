from __future__ import annotations

import json

import tensorflow as tf

from wbc_tf.training.logs import RunLogs


def test_a_resumed_run_drops_what_its_checkpoint_does_not_know(tmp_path):
    logs = RunLogs(tmp_path, start_step=0)
    for step in range(1, 6):
        logs.scalars(step, "main", {"loss": step / 10})
    logs.close()
    with (tmp_path / "losses.jsonl").open("a") as stream:
        stream.write('{"step": 6, "phase": "ma')  # cut off by a kill

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
