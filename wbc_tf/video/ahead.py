"""Work done ahead of its use, in a thread of its own, within bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")


def ahead(
    items: Generator[T, None, None], *, capacity: int, cost: Callable[[T], int]
) -> Generator[T, None, None]:
    """The same items in the same order, made while earlier ones are being used.

    What `items` raises is raised here, in its place. When the generator is closed, `items` is
    stopped at its next item and closed too, in its own thread, before this returns.

    Args:
      items: what another thread goes through.
      capacity: most that may lie ready, in the units of `cost`. An item that costs more waits until
        nothing else lies there.
      cost: of an item.
    """
    ready: deque[tuple[T, int]] = deque()
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
                        ready.append((item, price))
                        held += price
                        changed.notify_all()
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
                item, price = ready.popleft()
                held -= price
                changed.notify_all()
            yield item
        if error is not None:
            raise error
    finally:
        with changed:
            stopped = True
            changed.notify_all()
        thread.join()
