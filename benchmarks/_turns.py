"""Times that can be compared: tasks take turns, and the least time of each counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence


def in_turns(
    rounds: int, tasks: Mapping[str, Callable[[], object]], *, pause: float = 0.0
) -> dict[str, float]:
    """Each task's least time in seconds; the first round, which warms up, does not count.

    Another load on the machine can only add to a time.

    Args:
      rounds: how many count.
      tasks: what is timed, by name.
      pause: seconds before each call.
    """
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds + 1):
        for name, task in tasks.items():
            time.sleep(pause)
            begin = time.perf_counter()
            task()
            times[name].append(time.perf_counter() - begin)
    return {name: min(taken[1:]) for name, taken in times.items()}


def side_by_side(rounds: int, *calls: Callable[[], object]) -> Sequence[float]:
    """`in_turns` of calls without names, in their order."""
    return list(in_turns(rounds, dict(zip(map(str, range(len(calls))), calls))).values())
