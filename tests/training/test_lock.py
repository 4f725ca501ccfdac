from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from wbc_tf.training import lock
from wbc_tf.training.lock import RunLockedError, run_lock

HOLDER = """
import sys, time
from pathlib import Path
from wbc_tf.training.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_training_is_told_who_holds_the_folder(root, tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunLockedError, match=f"process {holder.pid} on "), run_lock(tmp_path):
            pass
    finally:
        holder.kill()
        holder.communicate()
    # However its holder ended, the folder is free.
    with run_lock(tmp_path):
        assert f"process {os.getpid()} on " in (tmp_path / "lock").read_text()


def test_a_file_system_without_locks_is_told_of_and_used(tmp_path, monkeypatch):
    class NoLocks:
        LOCK_EX = LOCK_NB = 0

        @staticmethod
        def flock(stream, how):
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(lock, "fcntl", NoLocks)
    warnings = []
    monkeypatch.setattr(lock.logging, "warning", lambda text, *args: warnings.append(text % args))
    with run_lock(tmp_path):
        assert "no second training" in warnings[0]
