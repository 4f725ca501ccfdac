from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wbc_tf.files import owners
from wbc_tf.files.owners import is_left_over, owner


def made_by(process: int | None, folder: Path) -> Path:
    path = folder / f".wbc-{owner(process)}-x"
    path.touch()
    return path


def test_what_a_living_process_owns_is_not_left_over(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        path = made_by(other.pid, tmp_path)
        long_ago = time.time() - 1e6
        os.utime(path, (long_ago, long_ago))
        assert not is_left_over(path)
        other.communicate(b"\n")
    assert is_left_over(path), "it has ended"


@pytest.mark.parametrize("where", ["another machine", "an earlier process with this number"])
def test_where_the_owner_cannot_be_asked_for_the_age_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    path = made_by(None, tmp_path)
    if where == "another machine":
        monkeypatch.setattr(owners.socket, "gethostname", lambda: "elsewhere")
    assert not is_left_over(path)
    yesterday = time.time() - 25 * 3600
    os.utime(path, (yesterday, yesterday))
    assert is_left_over(path)
