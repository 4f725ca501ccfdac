from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wbc_tf.page.workspace import KEPT_FOR, Workspace


def test_old_files_go_and_new_and_permanent_ones_stay(tmp_path: Path) -> None:
    with Workspace(tmp_path) as workspace:
        example = workspace.folder / "examples" / "cat.png"
        example.parent.mkdir()
        example.touch()
        workspace.keep_what_is_there()
        with workspace.result_folder() as one, workspace.result_folder() as two:
            old, new = one / "old.png", two / "new.png"
        for file in (old, new):
            file.touch()
        now = time.time()
        for path in (example, example.parent, old, old.parent):
            os.utime(path, (now - KEPT_FOR - 1,) * 2)
        workspace.sweep(now)
        assert example.exists()
        assert new.exists()
        assert not old.exists()
        # Removing its file touched the folder, so it goes at a later look.
        workspace.sweep(now + KEPT_FOR + 1)
        assert not old.parent.exists()
        assert not new.parent.exists()
        assert example.exists()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_this_users_alone_and_its_names_cannot_be_guessed(tmp_path: Path) -> None:
    with Workspace(tmp_path) as workspace:
        assert workspace.folder.stat().st_mode & 0o077 == 0
        with workspace.result_folder() as one, workspace.result_folder() as two:
            assert one != two
            assert len(bytes.fromhex(one.name)) == 16


def test_a_result_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    with Workspace(tmp_path) as workspace:
        with pytest.raises(ZeroDivisionError), workspace.result_folder() as folder:
            folder.joinpath("half.png").write_bytes(bytes(1 // 0))
        assert list(workspace.folder.iterdir()) == []


def test_the_folder_of_a_killed_server_goes_at_the_next_start_and_no_other(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from wbc_tf.page.workspace import Workspace\n"
        "with Workspace(pathlib.Path(sys.argv[1])) as workspace:\n"
        "    (workspace.folder / 'a.png').touch()\n"
        "    print(workspace.folder, flush=True)\n"
        "    os.kill(os.getpid(), 9) if sys.argv[2] == 'killed' else sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    killed = Path(subprocess.run([*command, "killed"], capture_output=True, text=True).stdout[:-1])
    assert killed.is_dir()
    with subprocess.Popen(
        [*command, "living"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        living = Path(other.stdout.readline().strip())
        assert not killed.exists()
        elsewhere = tmp_path / "wbc-page-01234567-1-x"
        elsewhere.mkdir()  # of another machine: nothing is known of its server
        with Workspace(tmp_path) as mine:
            assert set(tmp_path.iterdir()) == {living, elsewhere, mine.folder}
            yesterday = time.time() - 25 * 3600
            os.utime(elsewhere, (yesterday, yesterday))
            mine.remove_leftovers()
            assert set(tmp_path.iterdir()) == {living, mine.folder}
        other.communicate("")
    assert list(tmp_path.iterdir()) == []
