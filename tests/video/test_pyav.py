from __future__ import annotations

import sys

import av
import pytest

from wbc_tf.video.pyav import PyAVError, check_pyav


def test_it_is_there() -> None:
    check_pyav()


def test_without_it_people_are_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(PyAVError, match=r"videos need PyAV .*pip install '\.\[video\]'"):
        check_pyav()


@pytest.mark.parametrize("version", ["15.1.0", "17.0.1"])
def test_one_that_is_too_old_is_told_of(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(av, "__version__", version)
    with pytest.raises(PyAVError, match=rf"PyAV 17\.1.*here is {version}"):
        check_pyav()
