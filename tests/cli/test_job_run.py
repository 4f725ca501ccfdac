from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest
from absl import flags

from wbc_tf.cli.command_line import FAILED, OK
from wbc_tf.cli.job_flags import define_job_flags
from wbc_tf.cli.job_run import run_jobs
from wbc_tf.inference.jobs import Job, OutputError
from wbc_tf.inference.progress import Listener
from wbc_tf.inference.report import Entry


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name in ("a.jpg", "notes.txt"):
        (tmp_path / "in" / name).touch()
    return tmp_path


def _run(
    folder: Path,
    *entries: Entry,
    error: Exception | None = None,
    kill: int | None = None,
    flag: str = "--overwrite",
) -> int:
    values = flags.FlagValues()
    define_job_flags(values)
    values(["program", f"--input={folder / 'in'}", f"--output={folder / 'out'}", flag])
    checked = []

    def work(jobs: list[Job], listener: Listener) -> None:
        assert jobs == checked == [Job(folder / "in" / "a.jpg", folder / "out" / "a.jpg")]
        for entry in entries:
            listener.done(entry)
        if error is not None:
            raise error
        if kill is not None:
            os.kill(os.getpid(), kill)

    return run_jobs(values, work, command="program", check=checked.extend)


WRITTEN = Entry("a.jpg", "b.jpg", "written")


def test_the_tally_and_what_was_ignored_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(folder, WRITTEN) == OK
    told = capsys.readouterr()
    assert told.out == "1 written, 0 skipped, 0 failed\n"
    assert "notes.txt: ignored" in told.err
    assert _run(folder, WRITTEN, Entry("c.jpg", "d.jpg", "failed", error="broken")) == FAILED


def test_a_full_disk_ends_the_run_with_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = OutputError("out", OSError(errno.ENOSPC, "No space left on device"))
    assert _run(folder, WRITTEN, error=full) == FAILED
    told = capsys.readouterr()
    assert "program: out: cannot write there (No space left on device)" in told.err
    assert told.out == "1 written, 0 skipped, 0 failed\n"


def test_an_interruption_has_the_exit_status_that_shells_expect(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _run(folder, WRITTEN, kill=signal.SIGTERM) == 128 + signal.SIGTERM
    assert "interrupted; the same call goes on" in capsys.readouterr().err


def test_a_dry_run_shows_the_jobs_and_does_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(folder, error=AssertionError("worked"), flag="--dry_run") == OK
    assert capsys.readouterr().out == f"{folder / 'in' / 'a.jpg'} -> {folder / 'out' / 'a.jpg'}\n"
