"""Several workers, as processes on this machine: one run, written once."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

WORKER = """
import sys
from pathlib import Path
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from tests.training.tiny_method import TinyMethod
from wbc_tf.training.loop import LoopSettings, is_chief, train
with strategy.scope():
    method = TinyMethod()
settings = LoopSettings(checkpoint_every=3, sample_every=4)
assert train(method, workdir=Path(sys.argv[1]), settings=settings, strategy=strategy)
print("chief" if is_chief(strategy) else "helper", method.layer.kernel.numpy().sum())
"""


def free_ports(count):
    listeners = [socket.socket() for _ in range(count)]
    for listener in listeners:
        listener.bind(("127.0.0.1", 0))
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def test_two_workers_make_one_run(root, tmp_path):
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    workdir = tmp_path / "run"
    workdir.mkdir()
    processes = []
    for index in range(2):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", WORKER, str(workdir)],
                cwd=root,
                env={**os.environ, "TF_CONFIG": json.dumps(task), "CUDA_VISIBLE_DEVICES": ""},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    try:
        results = [process.communicate(timeout=120) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], results
    (chief, kernel), (helper, other_kernel) = (out.split() for out, _ in results)
    assert (chief, helper) == ("chief", "helper")
    assert float(kernel) == pytest.approx(float(other_kernel), rel=1e-6)

    records = [json.loads(line) for line in (workdir / "losses.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == list(range(1, 9))
    assert (workdir / "checkpoints" / "step-8.index").is_file()
