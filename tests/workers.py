"""Two workers of ``tf.distribute`` as processes on this machine."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

from tests.fresh import FreshProcess


def run_two_workers(work: Callable[..., Any], *arguments: Any) -> list[Any]:
    """A function as each worker, both to a good end; what they return, the chief's first."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    cluster = {"worker": [f"127.0.0.1:{each.getsockname()[1]}" for each in listeners]}
    for each in listeners:
        each.close()
    workers = []
    for index in range(2):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        environment = {"TF_CONFIG": json.dumps(task), "CUDA_VISIBLE_DEVICES": ""}
        workers.append(FreshProcess(work, *arguments, environment=environment))
    try:
        return [worker.result(timeout=600) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
