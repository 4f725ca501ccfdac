"""A Ray cluster and an S3 server for all tests that need them, started once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from benchmarks._s3_server import S3Server

BUCKET = "bucket"


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A server with an empty bucket; the environment leads there."""
    import fsspec

    from benchmarks._s3_server import S3Server

    server = S3Server()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment().items():
            patch.setenv(name, value)
        fsspec.filesystem("s3").mkdir(BUCKET)
        yield server
    server.close()


@pytest.fixture(scope="session")
def ray_address(s3: S3Server) -> Iterator[str]:
    """Address of a cluster of one node with two cores; its workers know the S3 server."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        patch.setenv("RAY_worker_niceness", "0")
        for _ in range(5):
            try:
                cluster = Cluster(
                    initialize_head=True,
                    head_node_args={
                        "num_cpus": 2,
                        "include_dashboard": False,
                        "object_store_memory": 128 * 2**20,
                    },
                )
                break
            except Exception as error:  # Ray has no class for it
                if "timed out" not in str(error):  # within 30 seconds; the machine is busy
                    raise
        else:
            pytest.fail("a Ray node does not start within 30 seconds")
    yield cluster.address
    cluster.shutdown()
