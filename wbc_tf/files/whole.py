"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from wbc_tf.files import PathLike

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_TEMPORARY = (".wbc-", ".tmp")


@contextlib.contextmanager
def whole_file(path: PathLike) -> Iterator[Path]:
    """Within, a temporary file beside `path` to write to; after it, synced, it bears that name.

    Left by an error or by Ctrl-C, nothing stays and `path` is as it was.
    """
    path = Path(path)
    # The name is short and its own, so that a name at the file system's limit still fits.
    prefix, suffix = _TEMPORARY
    temporary = path.with_name(f"{prefix}{secrets.token_hex(8)}{suffix}")
    with temporary.open("xb") as stream:
        try:
            _lock(stream)
            yield temporary
            os.fsync(stream.fileno())
        except BaseException:
            temporary.unlink()
            raise
    try:
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink()
        raise


def write_whole(path: PathLike, data: bytes) -> None:
    """Writes a file whole or not at all: a temporary one beside it, synced, then renamed."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def remove_leftovers(folder: PathLike) -> None:
    """Removes the temporary files of writers that were killed; those of living ones are locked.

    Where there are no such locks (Windows) nothing is removed.
    """
    prefix, suffix = _TEMPORARY
    for path in Path(folder).glob(f"{prefix}*{suffix}") if fcntl else ():
        # Gone meanwhile, locked, or not ours to touch: in either case it stays.
        with contextlib.suppress(OSError), path.open("rb") as stream:
            _lock(stream)
            path.unlink()


def _lock(stream: BinaryIO) -> None:
    """Until it is closed, or its process dies however it may."""
    if fcntl:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
