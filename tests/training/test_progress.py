from __future__ import annotations

import io

from wbc_tf.training.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_without_a_terminal_there_is_a_line_every_thirty_seconds():
    seconds = iter(range(0, 100_000, 10))  # ten seconds a step
    stream = io.StringIO()
    progress = Progress(
        "main", first=4, last=15, batch_size=16, stream=stream, clock=lambda: next(seconds)
    )
    with progress:
        for done in range(5, 16):
            progress.step(done, {"loss": 1 / done, "part/one": 3.0})
    assert stream.getvalue().splitlines() == [
        "main: step 7 of 15, loss=0.143, 1.6 images/s, 01:20 left",
        "main: step 10 of 15, loss=0.1, 1.6 images/s, 00:50 left",
        "main: step 13 of 15, loss=0.0769, 1.6 images/s, 00:20 left",
    ]


def test_a_step_of_minutes_is_told_of_at_once():
    seconds = iter([0.0, 45.0, 90.0])
    stream = io.StringIO()
    progress = Progress(
        "main", first=0, last=2, batch_size=3, stream=stream, clock=seconds.__next__
    )
    progress.step(1, {"loss": 0.5})
    assert stream.getvalue() == "main: step 1 of 2, loss=0.5\n"


def test_a_terminal_gets_a_bar():
    stream = Terminal()
    with Progress("main", first=0, last=2, batch_size=3, stream=stream) as progress:
        progress.step(1, {"loss": 0.5, "part/one": 3.0})
        progress.step(2, {"loss": 0.25, "part/one": 3.0})
    assert "2/2" in stream.getvalue()
    assert "loss=0.25" in stream.getvalue()
    assert "part/one" not in stream.getvalue()
