"""Structure maps of whole batches, on all cores.

Processes and not threads. scikit-image 0.26 releases Python's lock in SLIC and in most of its
Felzenszwalb, but the merging holds it. 16 pictures of 256 x 256, two workers against one on two
cores (2.0 is perfect):

================================  =======  =========
map                               threads  processes
================================  =======  =========
slic                              1.95     1.92
adaptive                          1.87     1.9
adaptive, released                1.71     1.9
================================  =======  =========

On two cores both are equally good. But a sixth of a released map runs under Python's lock. Threads
could therefore never be more than 6 times as fast, on any number of cores, and they would slow down
the Python code of the training loop. A process costs 0.3 s once, some 100 MB, and 2 to 4 ms to send
each picture there and back.

The workers are plain children of ours and not multiprocessing's: its "fork" copies a process in
which TensorFlow's threads hold locks, and its "spawn" and "forkserver" run the user's main script
again in each child, which imports TensorFlow there.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from wbc_tf.ops.structure_map import structure_map


class StructureWorkerError(RuntimeError):
    """A worker process is gone; the message says how it ended."""


class StructurePool:
    """Worker processes that compute structure maps; started when first needed, and then kept.

    May be called from several threads at once. Results do not depend on the number of workers. Use
    it as a context manager or call ``close``; at the interpreter's end it closes by itself.

    Args:
      workers: how many processes; by default one for each core this process may use. With 1 the
        caller's own thread does the work.
    """

    def __init__(self, workers: int | None = None):
        if workers is not None and workers < 1:
            raise ValueError(f"workers is {workers}, and must be at least 1")
        self.workers = workers or _usable_cores()
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="structure")
        # Last in, first out: the worker that was used last is taken first. None is one that has
        # not been started.
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(self.workers):
            self._idle.put(None)
        self._owner = os.getpid()
        self._finalizer = weakref.finalize(self, _shut_down, self._owner, self._threads, self._idle)

    @property
    def usable(self) -> bool:
        """Whether it is open, and in the process that made it: a fork has none of its threads."""
        return self._finalizer.alive and self._owner == os.getpid()

    def close(self) -> None:
        """Waits for pictures under way, then ends the workers. Closing twice does no harm."""
        self._finalizer()

    def map(
        self, images: np.ndarray, options: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    ) -> np.ndarray:
        """Structure maps of a batch.

        Args:
          images: [N, H, W, 3] float, RGB in [-1, 1].
          options: keyword arguments of ``structure_map``, for all pictures or one set for each.

        Returns:
          [N, H, W, 3] float32 in [-1, 1].

        Raises:
          StructureWorkerError: a worker died, of which the message says more.
          RuntimeError: the pool is closed.
        """
        if isinstance(options, Mapping):
            options = [options] * len(images)
        if len(options) != len(images):
            raise ValueError(f"there are {len(images)} pictures and options for {len(options)}")
        if not self.usable:
            raise RuntimeError("this StructurePool is closed, or was made before a fork")
        if self.workers == 1:
            maps = [structure_map(image, **option) for image, option in zip(images, options)]
        else:
            futures = [
                self._threads.submit(self._ask_any, image, option)
                for image, option in zip(images, options)
            ]
            try:
                maps = [future.result() for future in futures]
            finally:
                # After an error or Ctrl-C the rest of the batch is not needed.
                for future in futures:
                    future.cancel()
        return np.array(maps, np.float32).reshape(images.shape)

    def __enter__(self) -> StructurePool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask_any(self, image: np.ndarray, options: Mapping[str, Any]) -> np.ndarray:
        worker = self._idle.get()
        try:
            if worker is None:
                worker = _Worker()
            return worker.ask(image, options)
        finally:
            # A dead worker is replaced when its place is needed again.
            self._idle.put(worker if worker is not None and worker.alive else None)


# There is a worker for each core: a second thread in one would only be in the way. And memory that
# the GNU C library hands back after each array must be fetched page by page for the next; keeping
# it makes a worker 10 to 15% faster, and two on two cores 1.85 instead of 1.65 times one.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(512 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(512 * 1024 * 1024),
}

_shared: StructurePool | None = None
_shared_lock = threading.Lock()


def shared_pool() -> StructurePool:
    """The one pool of this process, made anew where it was closed or left behind by a fork."""
    global _shared
    with _shared_lock:
        if _shared is None or not _shared.usable:
            _shared = StructurePool()
        return _shared


class _Worker:
    """One child process. Requests go in by its standard input, pictures come out by its output."""

    def __init__(self) -> None:
        self.alive = True
        serve_here = (
            f"import sys; sys.path[:] = {sys.path!r}; from wbc_tf.ops.pool import serve; serve()"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", serve_here],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ENVIRONMENT},
            # Ctrl-C is for us to hear; the workers end when their input does.
            start_new_session=True,
        )

    def ask(self, image: np.ndarray, options: Mapping[str, Any]) -> np.ndarray:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump((image, dict(options)), self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
            reply = pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            self.alive = False
            self.hang_up()
            self.wait()
            raise StructureWorkerError(_how_it_died(self._process.returncode)) from error
        if isinstance(reply, Exception):
            raise reply
        return reply

    def hang_up(self) -> None:
        """Closes its input, at which it ends."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # It ended before.
            self._process.stdin.close()

    def wait(self) -> None:
        """Waits until it has ended, and ends it if it will not."""
        assert self._process.stdout is not None
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def serve() -> None:
    """A worker's whole life: answers requests on standard input until there are no more."""
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What anyone prints must not end up between the pictures.
    os.dup2(2, 1)
    while True:
        try:
            image, options = pickle.load(requests)
        except EOFError:
            return
        reply: np.ndarray | Exception
        try:
            reply = structure_map(image, **options)
        except Exception as error:  # Whatever it is, it is raised where the picture came from.
            reply = error
        pickle.dump(reply, replies, pickle.HIGHEST_PROTOCOL)
        replies.flush()


def _how_it_died(status: int) -> str:
    if status == -signal.SIGKILL:
        how = "was killed (SIGKILL), often because the machine has too little memory"
    elif status < 0:
        how = f"was ended by {signal.Signals(-status).name}"
    else:
        how = f"ended with exit status {status}; its own message, if it left one, is above"
    return f"a process that computes structure maps {how}"


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _shut_down(
    owner: int, threads: ThreadPoolExecutor, idle: queue.LifoQueue[_Worker | None]
) -> None:
    if os.getpid() != owner:
        return
    threads.shutdown(wait=True, cancel_futures=True)
    workers = [worker for worker in idle.queue if worker is not None]
    for worker in workers:
        worker.hang_up()
    for worker in workers:
        worker.wait()
