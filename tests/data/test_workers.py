"""Several workers, as processes on this machine: each gets its own rows of every batch."""

from __future__ import annotations

import json

from tests.workers import run_two_workers

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
    first, second = (json.loads(out) for out in run_two_workers(root, WORKER))
    assert first == [[30, 31], [40, 41], [50, 51]]
    assert second == [[32, 33], [42, 43], [52, 53]]
