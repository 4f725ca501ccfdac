from __future__ import annotations

import threading
import time
from collections.abc import Generator

import pytest

from wbc_tf.inference.ahead import ahead, worked_ahead


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
        deadline = time.monotonic() + 60
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
    before = set(threading.enumerate())  # those of other tests may end meanwhile
    items = ahead(count(10**9, closed), capacity=3, cost=lambda _: 1)
    assert next(items) == 0
    assert len(set(threading.enumerate()) - before) == 1
    items.close()
    assert set(threading.enumerate()) <= before
    assert closed == ["ahead"]


def test_one_may_stand_behind_another() -> None:
    closed: list[str] = []
    first = ahead(count(10**9, closed), capacity=3, cost=lambda _: 1)
    second = ahead((2 * item for item in first), capacity=3, cost=lambda _: 1)
    assert [next(second) for _ in range(5)] == [0, 2, 4, 6, 8]
    second.close()
    first.close()
    assert closed == ["ahead"]


def test_work_is_done_by_several_threads_and_keeps_its_order() -> None:
    both_begun = threading.Barrier(2)

    def work(number: int) -> int:
        if number < 2:
            both_begun.wait(30)  # one thread alone would wait in vain
        return 2 * number

    results = worked_ahead(work, count(9), workers=2, capacity=3, cost=lambda _: 1)
    assert list(results) == list(range(0, 18, 2))


def test_work_counts_until_its_result_is_used_and_ends_with_its_user() -> None:
    begun: list[int] = []
    results = worked_ahead(
        lambda number: begun.append(number), count(10**9), workers=2, capacity=4, cost=lambda _: 1
    )
    next(results)
    time.sleep(0.05)
    assert len(begun) <= 1 + 4
    before = len(begun)
    results.close()
    assert len(begun) == before


def test_an_error_in_the_work_is_raised_in_its_place() -> None:
    def work(number: int) -> float:
        return 1 / (2 - number)

    results = worked_ahead(work, count(5), workers=2, capacity=9, cost=lambda _: 1)
    assert [next(results), next(results)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)
