from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wbc_tf.files import owners
from wbc_tf.files.whole import remove_leftovers, whole_file, write_whole


def _killed(folder: Path) -> Path:
    """The temporary file that a killed writer left."""
    code = (
        "import os, sys; from wbc_tf.files.whole import whole_file\n"
        "with whole_file(sys.argv[1] + '/a.png') as file: os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
    (left,) = folder.glob(".wbc-*")
    return left


def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_has_is_not(
    tmp_path: Path,
) -> None:
    left = _killed(tmp_path)
    (tmp_path / ".wbc-notes.txt").touch()
    with whole_file(tmp_path / "a.png") as mine:
        mine.write_bytes(b"whole")
        remove_leftovers(tmp_path)
        assert not left.exists()
        assert mine.exists()
    assert sorted(os.listdir(tmp_path)) == [".wbc-notes.txt", "a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"whole"


def test_another_machines_file_is_left_over_when_it_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = _killed(tmp_path)
    monkeypatch.setattr(owners.socket, "gethostname", lambda: "elsewhere")
    remove_leftovers(tmp_path)
    assert left.exists(), "its writer may be alive"
    yesterday = time.time() - 25 * 3600
    os.utime(left, (yesterday, yesterday))
    remove_leftovers(tmp_path)
    assert not left.exists()


def test_a_file_bears_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with whole_file(path) as temporary:
            temporary.write_bytes(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_disks_without_locks_are_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    fcntl = pytest.importorskip("fcntl")
    for name in ("flock", "lockf"):
        monkeypatch.setattr(fcntl, name, refuse)
    write_whole(tmp_path / "a.png", b"whole")
    assert (tmp_path / "a.png").read_bytes() == b"whole"


def test_the_first_error_is_told_where_an_open_file_cannot_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:  # as Windows does
        raise PermissionError(errno.EACCES, "used by another process", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ValueError, match="the real one"), whole_file(tmp_path / "a.png"):
        raise ValueError("the real one")


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        write_whole(tmp_path / "nowhere" / "x.png", b"")
    assert error.value.filename == str(tmp_path / "nowhere" / "x.png")
    assert str(error.value).endswith("x.png'")
