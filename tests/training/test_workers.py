"""Several workers, as processes on this machine: one run, written once."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest
import tensorflow as tf

from tests.training.tiny_method import TinyMethod
from tests.workers import run_two_workers
from wbc_tf.data.streams import Source, batch_stream
from wbc_tf.training.loop import LoopSettings, is_chief, train


class Numbered:
    """Crops whose values are their positions."""

    def __init__(self):
        self.made = set()

    def crop(self, position):
        self.made.add(position % 4)
        return np.full((2, 2, 3), position, np.float32)


def rows_of(strategy, crops):
    """What a worker gets of three batches."""

    def numbered(context):
        sources = {"photo": Source(crops)}
        return batch_stream(sources, batch_size=4, patch_size=2, start_step=3, context=context)

    batches = iter(strategy.distribute_datasets_from_function(numbered))
    rows = []
    for _ in range(3):
        (mine,) = strategy.experimental_local_results(next(batches)["photo"])
        rows.append(mine.numpy()[:, 0, 0, 0].astype(int).tolist())
    return rows


def signal_at_step_5(method):
    """Lets the making of that step's batch end this process."""
    batches, signalled = method.batches, []

    def pull(step):
        if step == 5 and not signalled:
            signalled.append(step)
            os.kill(os.getpid(), signal.SIGTERM)
        return step

    def with_signal(batch, step):
        with tf.control_dependencies([tf.numpy_function(pull, [step], tf.int64)]):
            return {name: tf.identity(images) for name, images in batch.items()}

    def batches_that_signal(*, start_step, context=None):
        steps = tf.data.Dataset.counter(start_step)
        shares = batches(start_step=start_step, context=context)
        return tf.data.Dataset.zip((shares, steps)).map(with_signal)

    method.batches = batches_that_signal


def work(workdir, how):
    """Trains as a worker. Two replicas of equal rows would train without an error, so only the rows
    themselves can tell that a batch is shared out."""
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    crops = Numbered()
    rows = rows_of(strategy, crops) if how == "finish" else []
    with strategy.scope():
        method = TinyMethod(main_steps=5 if how == "finish" else 5000)
    if how == "stop" and not is_chief(strategy):
        signal_at_step_5(method)
    settings = LoopSettings(checkpoint_every=3, sample_every=4)
    outcome = train(method, workdir=workdir, settings=settings, strategy=strategy)
    return {
        "chief": is_chief(strategy),
        "weight": float(method.layer.kernel.numpy().sum()),
        "finished": outcome.finished,
        "steps": outcome.steps,
        "rows": rows,
        "made": sorted(crops.made),
    }


def run_two(workdir, how):
    """Two workers to their end; what they return, the chief's first."""
    workdir.mkdir()
    chief, other = run_two_workers(work, workdir, how)
    assert (chief["chief"], other["chief"]) == (True, False)
    assert chief["weight"] == pytest.approx(other["weight"], rel=1e-6)
    assert chief["steps"] == other["steps"], "both end after the same step"
    assert chief["finished"] == other["finished"]
    return chief, other


def steps_logged(workdir):
    return [json.loads(line)["step"] for line in (workdir / "losses.jsonl").open()]


def test_two_workers_share_every_batch_out_and_make_one_run(tmp_path):
    workdir = tmp_path / "run"
    chief, other = run_two(workdir, "finish")
    assert (chief["finished"], chief["steps"]) == (True, 8)
    assert steps_logged(workdir) == list(range(1, 9))
    assert (workdir / "checkpoints" / "step-8.index").is_file()
    assert (chief["rows"], chief["made"]) == ([[12, 13], [16, 17], [20, 21]], [0, 1])
    assert (other["rows"], other["made"]) == ([[14, 15], [18, 19], [22, 23]], [2, 3])


def test_a_signal_to_one_worker_stops_and_saves_all(tmp_path):
    workdir = tmp_path / "run"
    chief, _ = run_two(workdir, "stop")
    assert not chief["finished"]
    steps = chief["steps"]
    assert 0 < steps < 100  # the batch of the signal is made ahead of its step
    assert steps_logged(workdir) == list(range(1, steps + 1))
    assert (workdir / "checkpoints" / f"step-{steps}.index").is_file()
