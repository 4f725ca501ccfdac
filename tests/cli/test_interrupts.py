from __future__ import annotations

import signal

import pytest

from wbc_tf.cli.interrupts import Interrupted, interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_an_exception_with_the_status_that_shells_expect(number: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as interrupted, interruptible():
        signal.raise_signal(number)
    assert interrupted.value.status == 128 + number
    assert signal.getsignal(number) is before
