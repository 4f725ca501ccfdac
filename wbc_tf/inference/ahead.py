"""Work done ahead of its use, in threads, within bounded memory; for photos and for videos."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(
    items: Generator[T, None, None], *, capacity: int, cost: Callable[[T], int]
) -> Generator[T, None, None]:
    """The same items in the same order, made in a thread while earlier ones are being used.

    What `items` raises is raised here, in its place. When this generator is closed, `items` is
    stopped at its next item and closed too, in its own thread, before this returns.

    Args:
      items: made in a thread of their own.
      capacity: how much may be ready and not yet used, in the units of `cost`. An item that costs
        more waits until nothing else is ready.
      cost: of an item.
    """
    return _ahead(items, lambda item: lambda: item, capacity=capacity, cost=cost)


def worked_ahead(
    work: Callable[[T], R],
    items: Generator[T, None, None],
    *,
    workers: int,
    capacity: int,
    cost: Callable[[T], int],
) -> Generator[R, None, None]:
    """``work(item)`` for each item in the items' order, by several threads, ahead of its use.

    It behaves like `ahead`; an item counts against `capacity` from the moment its work may begin
    until its result is used. When this generator is closed, work that has begun is finished and no
    other begins.

    Args:
      work: called in the worker threads. What it raises is raised here, in its place.
      items: made in a thread of their own.
      workers: number of worker threads.
      capacity: see `ahead`.
      cost: see `ahead`.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="worker")
    try:
        yield from _ahead(
            items, lambda item: pool.submit(work, item).result, capacity=capacity, cost=cost
        )
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ahead(
    items: Generator[T, None, None],
    begin: Callable[[T], Callable[[], R]],
    *,
    capacity: int,
    cost: Callable[[T], int],
) -> Generator[R, None, None]:
    """The results of ``begin(item)()``: begun in the thread of `items`, waited for in this one."""
    ready: deque[tuple[Callable[[], R], int]] = deque()
    changed = threading.Condition()
    held = 0
    stopped = done = False
    error: BaseException | None = None

    def work() -> None:
        nonlocal held, done, error
        try:
            with closing(items):
                for item in items:
                    price = cost(item)
                    with changed:
                        while ready and held + price > capacity and not stopped:
                            changed.wait()
                        if stopped:
                            break
                        ready.append((begin(item), price))
                        held += price
                        changed.notify_all()
                    del item  # else it would stay in memory while the next one is made
        except BaseException as raised:
            error = raised
        with changed:
            done = True
            changed.notify_all()

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            with changed:
                changed.wait_for(lambda: ready or done)
                if not ready:
                    break
                finish, price = ready[0]
            result = finish()
            with changed:
                ready.popleft()
                held -= price
                changed.notify_all()
            yield result
            del finish, result
        if error is not None:
            raise error
    finally:
        with changed:
            stopped = True
            changed.notify_all()
        thread.join()
