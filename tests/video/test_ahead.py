from __future__ import annotations

import threading
import time
from collections.abc import Generator

import pytest

from wbc_tf.video.ahead import ahead


def count(number: int, closed: list[str] | None = None) -> Generator[int, None, None]:
    try:
        yield from range(number)
    finally:
        if closed is not None:
            closed.append(threading.current_thread().name)


def test_the_same_items_in_the_same_order() -> None:
    assert list(ahead(count(1000), capacity=7, cost=lambda _: 1)) == list(range(1000))
    assert list(ahead(count(0), capacity=7, cost=lambda _: 1)) == []


@pytest.mark.parametrize(("capacity", "most"), [(10, 3), (6, 2), (1, 1)])
def test_what_lies_ready_is_bounded_by_its_cost(capacity: int, most: int) -> None:
    # Three cost nine; a single one fits whatever it costs.
    made = 0

    def making() -> Generator[int, None, None]:
        nonlocal made
        for number in range(20):
            made += 1
            yield number

    items = ahead(making(), capacity=capacity, cost=lambda _: 3)
    for number in items:
        deadline = time.monotonic() + 5
        # One more is made than lies there: it waits in hand.
        expected = min(20, number + 1 + most + 1)
        while made < expected and time.monotonic() < deadline:
            time.sleep(0.001)
        assert made == expected
    assert number == 19


def test_an_error_comes_after_what_was_made_before_it() -> None:
    def failing() -> Generator[int, None, None]:
        yield 1
        yield 2
        raise ValueError("the third")

    items = ahead(failing(), capacity=9, cost=lambda _: 1)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="the third"):
        next(items)


def test_closing_stops_the_thread_and_closes_what_it_went_through() -> None:
    closed: list[str] = []
    before = threading.active_count()
    items = ahead(count(10**9, closed), capacity=3, cost=lambda _: 1)
    assert next(items) == 0
    assert threading.active_count() == before + 1
    items.close()
    assert threading.active_count() == before
    assert closed == ["ahead"]


def test_one_may_stand_behind_another() -> None:
    closed: list[str] = []
    first = ahead(count(10**9, closed), capacity=3, cost=lambda _: 1)
    second = ahead((2 * item for item in first), capacity=3, cost=lambda _: 1)
    assert [next(second) for _ in range(5)] == [0, 2, 4, 6, 8]
    second.close()
    first.close()
    assert closed == ["ahead"]
