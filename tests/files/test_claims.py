from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wbc_tf.files import claims as claims_module
from wbc_tf.files import owners
from wbc_tf.files.claims import Claims


def _claims(folder: Path) -> list[Path]:
    return sorted(folder.glob(".wbc-*"))


def test_only_one_claims_a_file_until_it_is_released(tmp_path: Path) -> None:
    target, long = tmp_path / "out" / "a.png", tmp_path / "out" / ("n" * 250 + ".png")
    with Claims() as ours, Claims() as theirs:
        assert ours.take(target)
        assert ours.take(long)
        assert not theirs.take(target)
        assert theirs.take(target.with_name("b.png"))
        theirs.release(target)  # which it does not hold
        assert not theirs.take(target)
        ours.release(target)
        assert theirs.take(target)
        target.touch()
    assert os.listdir(tmp_path / "out") == ["a.png"]


def test_nothing_is_left_where_nothing_was_made(tmp_path: Path) -> None:
    with Claims() as claims:
        assert claims.take(tmp_path / "out" / "deep" / "a.png")
        assert (tmp_path / "out" / "deep").is_dir()
    assert list(tmp_path.iterdir()) == []


def test_the_claims_of_killed_processes_have_no_effect(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from wbc_tf.files.claims import Claims\n"
        "claims = Claims()\n"
        "for name in ('a', 'b'): claims.take(Path(sys.argv[1], name))\n"
        "os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert len(_claims(tmp_path)) == 2
    with Claims() as claims:
        assert claims.take(tmp_path / "a")
        assert len(_claims(tmp_path)) == 1
    assert _claims(tmp_path) == []


def test_a_claim_of_another_machine_lasts_an_hour_unless_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.mkv"
    with Claims() as theirs:
        theirs.take(target)
        (claim,) = _claims(tmp_path)
        earlier = time.time() - 3700
        os.utime(claim, (earlier, earlier))
        theirs.renew(target)
        assert claim.stat().st_mtime < time.time() - 3000, "so soon it costs nothing"
        monkeypatch.setattr(claims_module, "_RENEWED_EVERY", -1.0)
        theirs.renew(target)
        monkeypatch.setattr(owners.socket, "gethostname", lambda: "elsewhere")
        assert not Claims().take(target)
        os.utime(claim, (earlier, earlier))
        assert Claims().take(target)


def test_where_no_claim_can_be_written_the_file_is_ours(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with Claims() as claims:
        assert claims.take(tmp_path / "taken" / "a.png"), "writing it will say what is wrong"
    assert os.listdir(tmp_path) == ["taken"]
