"""One training at a time in a run folder."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType

from absl import logging

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


class RunLockedError(RuntimeError):
    """Another process trains in this folder; the message says which."""


@contextlib.contextmanager
def run_lock(workdir: Path) -> Iterator[None]:
    """Holds a run folder for this process; the system lets go of it when the process ends.

    The file ``lock`` says who holds it, and stays there when nobody does. Where the file system has
    no locks, a warning says so and two trainings are not kept apart.

    Raises:
      RunLockedError: another process holds it.
      OSError: the folder is not ours to write to.
    """
    path = workdir / "lock"
    with path.open("a+", encoding="utf-8") as stream:
        try:
            if fcntl:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                stream.seek(0)
                holder = stream.read().strip() or "a process that did not say which it is"
                raise RunLockedError(
                    f"{workdir}: another training runs in this folder ({holder}). Wait until it "
                    "has ended, stop it, or choose another --workdir"
                ) from error
            logging.warning(
                "%s: no locks on this file system (%s); take care that no second training runs "
                "in this folder",
                workdir,
                error.strerror,
            )
        stream.seek(0)
        stream.truncate()
        stream.write(
            f"process {os.getpid()} on {socket.gethostname()}, "
            f"since {datetime.now().isoformat(' ', 'seconds')}\n"
        )
        stream.flush()
        yield
