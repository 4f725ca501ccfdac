"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from wbc_tf.files import PathLike

# A temporary file's name tells its owner: the machine (a hash of its name), the process, and a
# number that no other has. The name is short, so that it fits beside a name at the file system's
# limit.
_PATTERN = re.compile(r"\.wbc-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp")
#: Seconds after which a temporary file of another machine, or of a process that cannot be asked
#: for, counts as left behind. A living writer changes it all the time.
ABANDONED_AFTER = 24 * 3600.0


@contextlib.contextmanager
def whole_file(path: PathLike) -> Iterator[Path]:
    """Within, a temporary file beside `path` to write to; after it, synced, it bears that name.

    Left by an error or by Ctrl-C, nothing stays and `path` is as it was.

    Raises:
      OSError: the disk or the folder refuses; it names `path`, not the temporary file.
    """
    path = Path(path)
    name = f".wbc-{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    temporary = path.with_name(name)
    try:
        with temporary.open("xb"):
            pass
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        # The error says what happened; that the file cannot be removed either would only hide it.
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename == str(temporary):
            error.filename, error.filename2 = str(path), None
        raise


def write_whole(path: PathLike, data: bytes) -> None:
    """Writes a file whole or not at all: a temporary one beside it, synced, then renamed."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def remove_leftovers(folder: PathLike) -> None:
    """Removes the temporary files of writers that were killed.

    Those of living processes stay. Of other machines' processes nothing is known: their files go
    when they have not changed for a day.
    """
    for path in Path(folder).glob(".wbc-*.tmp"):
        # Gone meanwhile, or not ours to touch: in either case it stays.
        with contextlib.suppress(OSError):
            if _is_left_over(path):
                path.unlink()


def _is_left_over(path: Path) -> bool:
    found = _PATTERN.fullmatch(path.name)
    if found and found[1] == _machine() and os.name == "posix":
        return not _is_alive(int(found[2]))
    return time.time() - path.stat().st_mtime > ABANDONED_AFTER


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
