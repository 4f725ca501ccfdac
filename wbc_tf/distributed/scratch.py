"""Copies of films on a worker's own disk, which all workers of a machine share."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from wbc_tf.files.whole import whole_file

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def scratch_folder() -> Path:
    """The folder of this machine for copies; the same for every worker of this user."""
    import getpass

    return Path(tempfile.gettempdir(), f"wbc-cluster-{getpass.getuser()}")


def cached(
    folder: Path, name: str, version: Sequence[Any], download: Callable[[Path], None]
) -> Path:
    """The copy of a file, made if it is not there yet. It keeps the file's own name.

    Args:
      folder: where the copies are.
      name: of the file.
      version: see `Storage.version`; another one is another file.
      download: writes the file to a path.
    """
    place = folder / _digest(name)
    file = place / _digest(json.dumps(list(version))) / name.rpartition("/")[2]
    with _locked(folder, _digest(name)):
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as temporary:
                download(temporary)
    return file


def forget(folder: Path, name: str) -> None:
    """Removes all copies of a file."""
    shutil.rmtree(folder / _digest(name), ignore_errors=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


@contextlib.contextmanager
def _locked(folder: Path, name: str) -> Iterator[None]:
    """Within, no other process of this machine has the lock of that name."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("a") as stream:
        if fcntl:
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
