"""Which code a run was made with."""

from __future__ import annotations

import subprocess
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def source_commit(package: Path = _PACKAGE) -> str:
    """The git commit of the checkout that a package lies in, and whether files differ from it.

    An installed package has none, and neither has a machine without git: the answer then says so,
    because a run must not fail for want of it.
    """
    try:
        root = _git(package, "rev-parse", "--show-toplevel")
        if Path(root) != package.parent:  # some other project's checkout around an installation
            return "not from a git checkout"
        commit = _git(package, "rev-parse", "HEAD")
        changed = _git(package, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "not from a git checkout"
    return f"{commit} with local changes" if changed else commit


def _git(folder: Path, *arguments: str) -> str:
    run = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, check=True, text=True
    )
    return run.stdout.strip()
