from __future__ import annotations

from wbc_tf.distributed.work import Pace
from wbc_tf.inference.report import Entry


def test_a_work_holds_what_takes_two_seconds() -> None:
    pace = Pace()
    assert pace.photos == 1
    for _ in range(100):
        pace.took(Entry("a", "b", "written", seconds=0.25))
    assert pace.photos == 8
    for _ in range(100):
        pace.took(Entry("a", "b", "written", seconds=30.0))
    assert pace.photos == 1


def test_what_is_there_already_goes_in_large_works() -> None:
    pace = Pace()
    for _ in range(10):
        pace.took(Entry("a", "b", "skipped"))
    assert pace.photos == 32
