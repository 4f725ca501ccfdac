"""Temporary files and folders that tell by their name which process made them."""

from __future__ import annotations

import os
import re
import socket
import time
import zlib
from pathlib import Path

#: Seconds. A living owner changes what it has more often than that.
ABANDONED_AFTER = 24 * 3600.0

_PATTERN = re.compile(r"([0-9a-f]{8})-(\d+)-")


def owner(process: int | None = None) -> str:
    """The part of a name that tells the owner: the machine (a hash of its name) and the process.

    Args:
      process: of this machine; None is this one.
    """
    return f"{_machine()}-{os.getpid() if process is None else process}"


def is_left_over(path: Path, stated: str | None = None, *, after: float = ABANDONED_AFTER) -> bool:
    """Whether nobody needs a temporary file or folder any more.

    The owner is dead; or it cannot be asked for, and nothing has changed for a day. It cannot be
    asked for on another machine, and where the dead one had this process's own number: the first
    process of each container is number 1.

    Args:
      path: the file or folder.
      stated: text that holds ``{owner()}-``; None takes the name.
      after: seconds without a change, in place of a day.

    Raises:
      OSError: it is gone.
    """
    found = _PATTERN.search(path.name if stated is None else stated)
    if found and found[1] == _machine() and os.name == "posix" and int(found[2]) != os.getpid():
        return not _is_alive(int(found[2]))
    return time.time() - path.lstat().st_mtime > after


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # another user's
        return True
    return True


def _machine() -> str:
    return f"{zlib.crc32(socket.gethostname().encode()):08x}"
