"""Ray: which workers fit on a cluster, and how one is started. Nothing else here knows of Ray.

An actor for each worker and a bounded number of calls to it are enough, so Ray Data is not used:
its blocks would pass every picture through the object store, and a picture that kills its worker
would take its neighbours with it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

# Ray sends statistics to its makers unless it is told not to, before it is imported.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
from ray.exceptions import RayError, RayTaskError

from wbc_tf.distributed.dispatch import WorkerLostError
from wbc_tf.distributed.packed_model import PackedModel
from wbc_tf.distributed.work import Work
from wbc_tf.distributed.worker import Worker, WorkerSettings

# Of a cluster that lives on this machine only: models and names pass through it, no pictures.
_OBJECT_STORE = 512 * 2**20
# How often a cluster of this machine is started, where Ray gives up because the machine is busy.
_STARTS = 3


class EngineError(Exception):
    """The cluster cannot be reached, or is too small; the message says what to do."""


@contextlib.contextmanager
def connected(address: str, *, verbose: bool = False) -> Iterator[None]:
    """Within, Ray is connected to a cluster, and what it would print is left out.

    Ray prints to stdout when a worker dies, where our own results go. What people need of it is in
    the entries.

    Args:
      address: "local" for a cluster of this machine alone, which ends with this; "auto" for the one
        that this machine belongs to; else an address such as ``ray://head:10001``.
      verbose: show what Ray and the workers print.

    Raises:
      EngineError: there is no cluster at the address.
    """
    if not verbose:
        logging.getLogger("ray").setLevel(logging.ERROR)
    _refuse_unreachable(address)
    with contextlib.ExitStack() as stack:
        if not verbose:
            nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
            stack.enter_context(contextlib.redirect_stdout(nowhere))
        _connect(address, configure_logging=verbose, log_to_driver=verbose)
        stack.callback(ray.shutdown)
        yield


def _connect(address: str, **options: Any) -> None:
    if address == "local":
        options.update(include_dashboard=False, object_store_memory=_OBJECT_STORE)
        # By default Ray gives its workers a lower priority than that of other programs.
        os.environ.setdefault("RAY_worker_niceness", "0")
    for attempt in range(_STARTS):
        try:
            ray.init(address=address, **options)
            return
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise EngineError(f"--address={address}: no Ray cluster there ({error})") from error
        except Exception as error:
            # Ray has no class for this error. A node has 30 seconds to start, even on a busy
            # machine.
            ray.shutdown()
            if "timed out" not in str(error) or attempt + 1 == _STARTS:
                raise EngineError(f"--address={address}: Ray does not start ({error})") from error


def _refuse_unreachable(address: str) -> None:
    """Ray itself would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise EngineError(f"--address={address}: no Ray cluster there ({error})") from error


@dataclass(frozen=True)
class Room:
    """How many workers a cluster gets, and what each of them takes."""

    workers: int
    cores: int
    gpus: float


def find_room(workers: int | None, gpus: float) -> Room:
    """Shares the cluster's cores among workers as evenly as its machines allow.

    Args:
      workers: how many; None takes as many as GPUs hold, or without GPUs one for each machine.
      gpus: of each worker; a fraction lets several share one.

    Raises:
      EngineError: they do not fit.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cores = [int(node.get("CPU", 0)) for node in nodes]
    held = [int(node.get("GPU", 0) / gpus + 1e-6) if gpus else None for node in nodes]

    def fit(share: int) -> int:
        """How many workers of so many cores the machines hold."""
        return sum(
            own // share if most is None else min(own // share, most)
            for own, most in zip(cores, held)
        )

    if workers is None:
        used = [own for own, most in zip(cores, held) if own and most != 0]
        if not used:
            raise EngineError(f"no machine of the cluster has {'a free GPU' if gpus else 'a core'}")
        workers = len(used) if not gpus else max(1, fit(1))
    if fit(1) < workers:
        raise EngineError(
            f"--workers={workers}: the cluster has {sum(cores)} cores"
            + (f" and {sum(node.get('GPU', 0) for node in nodes):g} GPUs" if gpus else "")
            + f", which is enough for {fit(1)}; start more machines first"
        )
    share = max(share for share in range(1, max(cores) + 1) if fit(share) >= workers)
    return Room(workers, share, gpus)


class RayWorker:
    """A `Worker` in a process that Ray starts. See `wbc_tf.distributed.dispatch.Worker`."""

    def __init__(self, room: Room, model: Any, settings: WorkerSettings, *, at_once: int) -> None:
        """Starts it.

        Args:
          room: what it takes.
          model: from `share_model`.
          settings: for `Worker.load`.
          at_once: how many calls of `do` run at the same time.
        """
        # Lost workers are replaced by the dispatcher, which knows what they had.
        actor: Any = ray.remote(Worker)
        self._actor = actor.options(
            num_cpus=room.cores, num_gpus=room.gpus, max_restarts=0, max_concurrency=at_once + 1
        ).remote()
        self.ready: Future[None] = _future(self._actor.load.remote(model, settings))

    def do(self, work: Work) -> Future[Any]:
        """Starts a work."""
        return _future(self._actor.do.remote(work))

    def forget(self, film: str) -> None:
        """Removes its copies of a film."""
        self._actor.forget.remote(film)

    def stop(self) -> None:
        """Ends the process."""
        ray.kill(self._actor)


def share_model(model: PackedModel) -> Any:
    """Gives the model to Ray once, so that each machine fetches it once."""
    return ray.put(model)


def _future(reference: Any) -> Future[Any]:
    """Ray's future, with our own error where the worker is lost."""
    outer: Future[Any] = Future()

    def pass_on(inner: Future[Any]) -> None:
        error = inner.exception()
        if error is None:
            outer.set_result(inner.result())
        elif isinstance(error, RayTaskError):
            outer.set_exception(error.cause if isinstance(error.cause, Exception) else error)
        elif isinstance(error, RayError):
            outer.set_exception(WorkerLostError(_short(str(error))))
        else:
            outer.set_exception(error)

    reference.future().add_done_callback(pass_on)
    return outer


def _short(text: str) -> str:
    """What Ray says of a loss, without its advice, in one line."""
    *_, last = text.strip().splitlines() or [text]
    return last.strip().partition(" Some common causes")[0][:300]
