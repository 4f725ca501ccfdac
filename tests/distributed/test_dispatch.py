from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest

from wbc_tf.distributed.dispatch import LOSSES, STARTS, Dispatcher, DispatchError, WorkerLostError
from wbc_tf.distributed.work import Outcome
from wbc_tf.inference.report import Entry


@dataclass(eq=False)
class Item:
    """A work of some names: `does` is called with each in the worker."""

    names: tuple[str, ...]
    does: Callable[[str], Any] = str
    alone: bool = False
    needed: bool = True
    more: Sequence[Any] = ()

    def do(self, tools: Any) -> list[str]:
        return [self.does(name) for name in self.names]

    def then(self, answer: list[str]) -> Outcome:
        return Outcome(entries=[Entry(name, "", "written") for name in answer], works=self.more)

    def again(self) -> list[Item]:
        return [Item((name,), self.does, alone=True) for name in self.names]

    def given_up(self, reason: str) -> Outcome:
        return Outcome(entries=[Entry(name, "", "failed", error=reason) for name in self.names])


class LostError(Exception):
    """Ends the worker that meets it."""


@dataclass
class Crew:
    """Starts workers in this thread. They answer when they are told to, the oldest work first."""

    dies_at_start: Callable[[int], bool] = lambda number: False
    pending: list[tuple[Stub, Any, Future[Any]]] = field(default_factory=list)
    started: int = 0
    most: int = 0
    forgotten: list[str] = field(default_factory=list)

    def start(self) -> Stub:
        self.started += 1
        return Stub(self)

    def step(self) -> None:
        """One worker answers, or dies with all that it has."""
        worker, work, future = self.pending.pop(0)
        try:
            future.set_result(work.do(None))
        except LostError:
            mine = [item for item in self.pending if item[0] is worker]
            self.pending = [item for item in self.pending if item[0] is not worker]
            for lost in (future, *(item[2] for item in mine)):
                lost.set_exception(WorkerLostError("killed"))


class Stub:
    """A worker of a `Crew`."""

    def __init__(self, crew: Crew) -> None:
        self.crew, self.ready = crew, Future()
        if crew.dies_at_start(crew.started):
            self.ready.set_exception(WorkerLostError("out of memory"))
        else:
            self.ready.set_result(None)

    def do(self, work: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.crew.pending.append((self, work, future))
        mine = [item[1] for item in self.crew.pending if item[0] is self]
        assert len(mine) == 1 or not any(work.alone for work in mine), "not alone"
        self.crew.most = max(self.crew.most, len(self.crew.pending))
        return future

    def forget(self, film: str) -> None:
        self.crew.forgotten.append(film)

    def stop(self) -> None:
        pass


def run(
    works: Iterator[Item], crew: Crew, *, workers: int = 2, at_once: int = 3
) -> tuple[list[str], list[str]]:
    """Names that were written and that failed, in their order."""
    dispatcher = Dispatcher(crew.start, workers=workers, at_once=at_once)
    events = dispatcher._events

    class Events:
        """The dispatcher's queue; while it is empty, workers answer."""

        put = events.put

        def get(self, timeout: float) -> Any:
            while events.empty():
                crew.step()
            return events.get(timeout=timeout)

    dispatcher._events = Events()
    entries = list(dispatcher.run(works))
    assert not crew.pending
    return (
        [entry.source for entry in entries if entry.status == "written"],
        [entry.source for entry in entries if entry.status == "failed"],
    )


def test_works_are_listed_only_when_there_is_room() -> None:
    crew = Crew()
    ahead: list[int] = []

    def works() -> Iterator[Item]:
        for number in range(500):
            ahead.append(number - len(done))
            yield Item((str(number),), does)

    done: list[str] = []

    def does(name: str) -> str:
        done.append(name)
        return name

    written, failed = run(works(), crew)
    assert (sorted(map(int, written)), failed) == (list(range(500)), [])
    assert crew.most <= 6
    assert max(ahead) <= 6


def test_works_of_a_lost_worker_are_done_by_another() -> None:
    crew, deaths = Crew(), []

    def dies_once(name: str) -> str:
        if name in ("7", "19") and name not in deaths:
            deaths.append(name)
            raise LostError
        return name

    works = (Item((str(2 * n), str(2 * n + 1)), dies_once) for n in range(20))
    written, failed = run(works, crew)
    assert (sorted(map(int, written)), failed) == (list(range(40)), [])
    assert crew.started == 2 + 2


def test_a_picture_that_kills_its_workers_fails_alone() -> None:
    crew = Crew()

    def poison(name: str) -> str:
        if name in ("6", "7"):
            raise LostError
        return name

    works = (Item((str(2 * n), str(2 * n + 1)), poison) for n in range(20))
    written, failed = run(works, crew, workers=1)
    assert sorted(map(int, written)) == [n for n in range(40) if n not in (6, 7)]
    assert sorted(failed) == ["6", "7"]
    assert crew.started == 1 + 1 + 2 * (LOSSES - 1)


def test_what_follows_from_a_work_is_done_too_and_what_is_not_needed_is_not() -> None:
    inner = [Item(("b",), alone=True), Item(("c",), needed=False), Item(("d",), alone=True)]
    works = iter([Item(("a",), more=inner, alone=True), Item(("e",)), Item(("f",))])
    written, _ = run(works, Crew(), workers=1)
    assert sorted(written) == ["a", "b", "d", "e", "f"]


def test_workers_that_cannot_start_are_given_up() -> None:
    crew = Crew(dies_at_start=lambda number: number % 2 == 0)
    written, _ = run((Item((str(n),)) for n in range(10)), crew)
    assert len(written) == 10
    crew = Crew(dies_at_start=lambda number: True)
    with pytest.raises(DispatchError, match="no worker can be started: out of memory"):
        run(iter([Item(("a",))]), crew)
    assert crew.started == 2 * STARTS


def test_a_bug_in_a_worker_is_not_hidden() -> None:
    def bug(name: str) -> str:
        raise KeyError(name)

    with pytest.raises(KeyError, match="a"):
        run(iter([Item(("a",), bug)]), Crew())


def test_a_full_disk_ends_the_run() -> None:
    class Full(Item):
        def then(self, answer: list[str]) -> Outcome:
            return Outcome(stop="disk full")

    with pytest.raises(DispatchError, match="disk full"):
        run(iter([Full(("a",))]), Crew())


def test_progress_and_finished_films_are_told() -> None:
    class Film(Item):
        def then(self, answer: list[str]) -> Outcome:
            return Outcome(progress=("a", 1, 2), finished_film="a")

    crew, told = Crew(), []
    dispatcher = Dispatcher(
        crew.start, workers=2, at_once=1, tell=lambda *progress: told.append(progress)
    )
    works = dispatcher.run(iter([Film(("a",))]))
    original = dispatcher._fill

    def fill(place: Any) -> None:
        original(place)
        while crew.pending:
            crew.step()

    dispatcher._fill = fill
    assert list(works) == []
    assert (told, crew.forgotten) == ([("a", 1, 2)], ["a", "a"])
