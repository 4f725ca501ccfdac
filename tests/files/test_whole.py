from __future__ import annotations

import os
from pathlib import Path

import pytest

from wbc_tf.files.whole import remove_leftovers, whole_file, write_whole


def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_has_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".wbc-0123.tmp").write_bytes(b"half a pict")
    (tmp_path / ".wbc-notes.txt").touch()

    def sync(_: int) -> None:
        remove_leftovers(tmp_path)

    monkeypatch.setattr(os, "fsync", sync)
    write_whole(tmp_path / "a.png", b"whole")
    assert sorted(os.listdir(tmp_path)) == [".wbc-notes.txt", "a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"whole"


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
    with whole_file(path) as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        remove_leftovers(tmp_path)  # of others: this one is in use
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
