"""Several workers, as processes on this machine: each gets its own rows of every batch."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

# Two replicas of equal rows would train without an error, so only the rows themselves can tell.
WORKER = """
import json
import numpy as np
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from wbc_tf.data.streams import batch_stream
rows = lambda step: np.float32([[10 * step + row] for row in range(4)])
dataset = batch_stream({"photo": rows}, shapes={"photo": (4, 1)}, start_step=3)
batches = iter(strategy.experimental_distribute_dataset(dataset))
found = []
for _ in range(3):
    (mine,) = strategy.experimental_local_results(next(batches)["photo"])
    found.append(mine.numpy().ravel().tolist())
del batches
print(json.dumps(found))
"""


def test_two_workers_share_every_global_batch_out(root):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    cluster = {"worker": [f"127.0.0.1:{each.getsockname()[1]}" for each in listeners]}
    for each in listeners:
        each.close()
    processes = []
    for index in range(2):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", WORKER],
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
    first, second = (json.loads(out) for out, _ in results)
    assert first == [[30, 31], [40, 41], [50, 51]]
    assert second == [[32, 33], [42, 43], [52, 53]]
