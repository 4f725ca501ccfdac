"""Several workers, as processes on this machine: one run, written once."""

from __future__ import annotations

import json

import pytest

from tests.workers import run_two_workers

WORKER = """
import os
import signal
import sys
from pathlib import Path
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from tests.training.tiny_method import TinyMethod
from wbc_tf.training.loop import LoopSettings, is_chief, train
with strategy.scope():
    method = TinyMethod(main_steps=5 if sys.argv[2] == "finish" else 5000)
settings = LoopSettings(checkpoint_every=3, sample_every=4)
if not is_chief(strategy) and sys.argv[2] == "stop":
    batches = method.batches
    signalled = []
    def batches_that_signal(*, start_step, context=None):
        def pull(step):
            if step == 5 and not signalled:
                signalled.append(step)
                os.kill(os.getpid(), signal.SIGTERM)
            return step
        def with_signal(batch, step):
            with tf.control_dependencies([tf.numpy_function(pull, [step], tf.int64)]):
                return {name: tf.identity(images) for name, images in batch.items()}
        steps = tf.data.Dataset.counter(start_step)
        shares = batches(start_step=start_step, context=context)
        return tf.data.Dataset.zip((shares, steps)).map(with_signal)
    method.batches = batches_that_signal
outcome = train(method, workdir=Path(sys.argv[1]), settings=settings, strategy=strategy)
role = "chief" if is_chief(strategy) else "helper"
print(role, method.layer.kernel.numpy().sum(), outcome.finished, outcome.steps)
"""


def run_two(root, workdir, how):
    """Two workers to their end; what the chief printed."""
    workdir.mkdir()
    outs = run_two_workers(root, WORKER, str(workdir), how)
    chief, helper = (out.split() for out in outs)
    assert (chief[0], helper[0]) == ("chief", "helper")
    assert float(chief[1]) == pytest.approx(float(helper[1]), rel=1e-6)
    assert chief[2:] == helper[2:], "both end alike, after the same step"
    return chief


def steps_logged(workdir):
    return [json.loads(line)["step"] for line in (workdir / "losses.jsonl").open()]


def test_two_workers_make_one_run(root, tmp_path):
    workdir = tmp_path / "run"
    assert run_two(root, workdir, "finish")[2:] == ["True", "8"]
    assert steps_logged(workdir) == list(range(1, 9))
    assert (workdir / "checkpoints" / "step-8.index").is_file()


def test_a_signal_to_one_worker_stops_and_saves_all(root, tmp_path):
    workdir = tmp_path / "run"
    _, _, finished, steps = run_two(root, workdir, "stop")
    assert finished == "False"
    assert 0 < int(steps) < 100  # the batch of the signal is made ahead of its step
    assert steps_logged(workdir) == list(range(1, int(steps) + 1))
    assert (workdir / "checkpoints" / f"step-{steps}.index").is_file()
