from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from wbc_tf.training.provenance import source_commit


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package in a checkout with one commit."""
    package = tmp_path / "project" / "some_package"
    package.mkdir(parents=True)
    (package / "module.py").write_text("x = 1\n")
    git(package.parent, "init", "--quiet")
    git(package.parent, "add", ".")
    git(package.parent, "commit", "--quiet", "--message=first")
    return package


def test_a_checkouts_commit(package: Path) -> None:
    assert source_commit(package) == git(package, "rev-parse", "HEAD")


def test_local_changes_are_told(package: Path) -> None:
    (package / "module.py").write_text("x = 2\n")
    assert source_commit(package) == f"{git(package, 'rev-parse', 'HEAD')} with local changes"


def test_an_installed_package_has_none(package: Path, tmp_path: Path) -> None:
    inner = package.parent / ".venv" / "some_package"
    inner.mkdir(parents=True)
    assert source_commit(inner) == "not from a git checkout"
    assert source_commit(tmp_path) == "not from a git checkout"


def test_a_machine_without_git(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert source_commit(package) == "not from a git checkout"
