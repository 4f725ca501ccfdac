"""Several workers, as processes on this machine: each makes its own rows of every batch."""

from __future__ import annotations

import json

from tests.workers import run_two_workers

# Two replicas of equal rows would train without an error, so only the rows themselves can tell.
WORKER = """
import json
import numpy as np
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from wbc_tf.data.streams import Source, batch_stream
made = []
class Numbered:
    def crop(self, position):
        made.append(position)
        return np.full((2, 2, 3), position, np.float32)
sources = {"photo": Source(Numbered())}
dataset = strategy.distribute_datasets_from_function(
    lambda context: batch_stream(
        sources, batch_size=4, patch_size=2, start_step=3, context=context
    )
)
batches = iter(dataset)
found = []
for _ in range(3):
    (mine,) = strategy.experimental_local_results(next(batches)["photo"])
    found.append(mine.numpy()[:, 0, 0, 0].astype(int).tolist())
del batches
print(json.dumps({"rows": found, "made": sorted({position % 4 for position in made})}))
"""


def test_two_workers_share_every_global_batch_out(root):
    first, second = (json.loads(out) for out in run_two_workers(root, WORKER))
    assert first == {"rows": [[12, 13], [16, 17], [20, 21]], "made": [0, 1]}
    assert second == {"rows": [[14, 15], [18, 19], [22, 23]], "made": [2, 3]}
