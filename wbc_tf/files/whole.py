"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from wbc_tf.files import PathLike
from wbc_tf.files.owners import is_left_over, owner


@contextlib.contextmanager
def whole_file(path: PathLike) -> Iterator[Path]:
    """Within, a temporary file beside `path` to write to; after it, synced, it bears that name.

    Left by an error or by Ctrl-C, nothing stays and `path` is as it was.

    Raises:
      OSError: the disk or the folder refuses; it names `path`, not the temporary file.
    """
    path = Path(path)
    # Short, so that it fits beside a name at the file system's limit.
    name = f".wbc-{owner()}-{secrets.token_hex(4)}.tmp"
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
            raise OSError(error.errno, error.strerror, str(path)) from error
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
            if is_left_over(path):
                path.unlink()
