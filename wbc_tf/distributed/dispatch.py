"""Gives work to workers, and to others when a worker is lost.

Each worker gets a few works at a time, and the next is listed only when one has room: that bounds
the memory of driver and workers, whatever the number of files. The driver waits for answers in one
queue, so that an answer costs it the same with a thousand workers as with one.

When a worker is lost, another is started in its place and its works are given out again, each photo
by itself and alone on a worker. A work with which workers are lost again and again fails.
"""

from __future__ import annotations

import queue
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from wbc_tf.distributed.work import Outcome, Work
from wbc_tf.inference.report import Entry

#: How many workers may be lost with a work. The first loss says little: the worker had others too.
LOSSES = 4
#: How often in a row a worker may be lost before it is ready.
STARTS = 3
#: Seconds after which the user is told that there is no worker yet.
PATIENCE = 60.0


class DispatchError(Exception):
    """The run cannot go on; the message says why. What was written stays."""


class WorkerLostError(Exception):
    """A worker's process or machine is gone; the message says how."""


class Worker(Protocol):
    """A process somewhere. Its futures raise `WorkerLostError` when it is lost."""

    ready: Future[None]

    def do(self, work: Work) -> Future[Any]:
        """Starts a work."""

    def forget(self, film: str) -> None:
        """Removes its copies of a film."""

    def stop(self) -> None:
        """Ends the process."""


@dataclass
class _Given:
    """A work on its way, and how many workers were lost with it so far."""

    work: Work
    losses: int = 0


@dataclass(eq=False)
class _Place:
    """One of the places for workers, and who is there."""

    worker: Worker
    is_ready: bool = False
    lost_starts: int = 0
    given: dict[Future[Any], _Given] = field(default_factory=dict)

    @property
    def has_one_alone(self) -> bool:
        return any(given.work.alone for given in self.given.values())


class Dispatcher:
    """Runs works on a number of workers.

    Args:
      start: starts a worker.
      workers: how many.
      at_once: how many works a worker gets at a time.
      tell: is told a film's name, its frames that are done, and all of them.
    """

    def __init__(
        self,
        start: Callable[[], Worker],
        *,
        workers: int,
        at_once: int,
        tell: Callable[[str, int, int | None], None] = lambda name, done, total: None,
    ) -> None:
        self._start, self._at_once, self._tell = start, at_once, tell
        self._events: queue.SimpleQueue[tuple[_Place, Future[Any]]] = queue.SimpleQueue()
        # Follow-up works, and those that are done again.
        self._waiting: deque[_Given] = deque()
        self._stream: Iterator[Work] = iter(())
        self._is_listed = False
        self._in_flight = 0
        self._places: list[_Place] = []
        self._idle: set[_Place] = set()
        for _ in range(workers):
            place = _Place(start())
            self._places.append(place)
            self._await(place, place.worker.ready)

    def run(self, works: Iterator[Work]) -> Iterator[Entry]:
        """Yields what became of each file, as soon as it is known.

        Args:
          works: is asked for the next when a worker has room for it.

        Raises:
          DispatchError: no worker can be started, or the disk is full.
        """
        self._stream, self._is_listed = works, False
        while self._wake() or self._in_flight or self._waiting or not self._is_listed:
            place, future = self._next_event()
            yield from self._handle(place, future)

    def stop(self) -> None:
        """Ends all workers."""
        for place in self._places:
            place.worker.stop()

    def _await(self, place: _Place, future: Future[Any]) -> None:
        future.add_done_callback(lambda done: self._events.put((place, done)))

    def _next_event(self) -> tuple[_Place, Future[Any]]:
        while True:
            try:
                return self._events.get(timeout=PATIENCE)
            except queue.Empty:
                if not any(place.is_ready for place in self._places):
                    print(
                        f"no worker has started within {PATIENCE:.0f} seconds; `ray status` shows "
                        "what the cluster has free. Still waiting",
                        file=sys.stderr,
                    )

    def _wake(self) -> bool:
        """Gives work to idle workers as long as there is some; whether any got it."""
        woken = False
        while self._idle:
            place = self._idle.pop()
            self._fill(place)
            if place in self._idle:
                break
            woken = True
        return woken

    def _fill(self, place: _Place) -> None:
        while place.is_ready and len(place.given) < self._at_once and not place.has_one_alone:
            given = self._next_for(place)
            if given is None:
                break
            future = place.worker.do(given.work)
            place.given[future] = given
            self._in_flight += 1
            self._await(place, future)
        if place.is_ready and not place.given:
            self._idle.add(place)

    def _next_for(self, place: _Place) -> _Given | None:
        while self._waiting and not self._waiting[0].work.needed:
            self._waiting.popleft()
        if not self._waiting and not self._is_listed:
            work = next(self._stream, None)
            self._is_listed = work is None
            if work is not None:
                self._waiting.append(_Given(work))
        # A busy worker first ends what it has, if the next work wants one to itself.
        if not self._waiting or (self._waiting[0].work.alone and place.given):
            return None
        return self._waiting.popleft()

    def _handle(self, place: _Place, future: Future[Any]) -> Iterator[Entry]:
        error = future.exception()
        if future is place.worker.ready:
            if isinstance(error, WorkerLostError):
                place.lost_starts += 1
                yield from self._lose(place, error)
            elif error is not None:
                raise error
            else:
                place.is_ready, place.lost_starts = True, 0
                self._fill(place)
        elif future in place.given:
            if isinstance(error, WorkerLostError):
                yield from self._lose(place, error)
                return
            given = place.given.pop(future)
            self._in_flight -= 1
            if error is not None:
                raise error
            yield from self._follow(given.work.then(future.result()))
            self._fill(place)

    def _lose(self, place: _Place, error: WorkerLostError) -> Iterator[Entry]:
        """Starts another worker in the place of a lost one, whose works are done again."""
        lost, place.given = list(place.given.values()), {}
        self._in_flight -= len(lost)
        self._idle.discard(place)
        place.worker.stop()
        place.is_ready = False
        if place.lost_starts < STARTS:
            place.worker = self._start()
            self._await(place, place.worker.ready)
        else:
            self._places.remove(place)
            if not self._places:
                raise DispatchError(f"no worker can be started: {error}")
        for given in lost:
            losses = given.losses + 1
            if losses == LOSSES:
                reason = f"{losses} workers were lost with it, the last one so: {error}"
                yield from self._follow(given.work.given_up(reason))
            else:
                self._waiting.extend(_Given(work, losses) for work in given.work.again())

    def _follow(self, outcome: Outcome) -> Iterator[Entry]:
        if outcome.stop is not None:
            raise DispatchError(outcome.stop)
        if outcome.progress is not None:
            self._tell(*outcome.progress)
        if outcome.finished_film is not None:
            for place in self._places:
                place.worker.forget(outcome.finished_film)
        self._waiting.extend(_Given(work) for work in outcome.works)
        yield from outcome.entries
