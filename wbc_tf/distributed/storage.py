"""Folders and object stores behind one small interface.

A file has a name: a path, or a URL such as ``s3://bucket/folder/a.jpg``. URLs go through fsspec.
What is written appears whole or not at all:

- On a disk, a temporary file is renamed (see `wbc_tf.files.whole`).
- An object store shows an object when all of it has arrived. That is S3's own promise, and that of
  Google's and Azure's stores, so nothing needs to be moved there.
- Elsewhere, such as SFTP, a temporary file beside the target is moved.

Errors that pass, such as 503 from a busy store, are tried again for two minutes.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from wbc_tf.distributed.scratch import cached
from wbc_tf.files.find import find_images
from wbc_tf.files.whole import remove_leftovers, write_whole

T = TypeVar("T")

#: Seconds to wait before each new attempt, up to half as much more or less.
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)

# Stores that show an object only when it is complete.
_OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory")
# Errors that do not pass. Those of botocore are known by name, since it may not be installed.
_LASTING = (
    *(FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError),
    *(FileExistsError, NotImplementedError, ValueError, TypeError),
)
_LASTING_NAMES = ("NoCredentialsError", "PartialCredentialsError", "ParamValidationError")


class StorageError(OSError):
    """A store that refuses or cannot be reached; the message names the file and says why."""


class Storage(Protocol):
    """Where files are read and written. All methods may be called from several threads."""

    def kind(self, name: str) -> str | None:
        """What has that name: "file", "folder", or None for nothing."""

    def names(self, folder: str, *, recursive: bool) -> Iterator[str]:
        """The names of all files of a folder, relative to it; those of one folder sorted.

        A folder inside it that cannot be listed is named too, with a slash at the end.
        """

    def exists(self, name: str) -> bool:
        """Whether a file has that name."""

    def read(self, name: str) -> bytes:
        """A file's content."""

    def write(self, name: str, data: bytes) -> None:
        """Writes a file, whole or not at all; it is replaced where it is there already."""

    def version(self, name: str) -> list[Any]:
        """What changes when the file does, as JSON can hold it."""

    def remove_folder(self, folder: str) -> None:
        """Removes a folder with all that is in it; one that is not there stays so."""

    def download(self, name: str, file: Path) -> None:
        """Copies a file to this machine's disk."""

    def made(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """Within, a path to write the file to; after it, without an error, the file is stored."""


def is_url(name: str) -> bool:
    """Whether a name is a URL and no path."""
    return "://" in name


def normalized(name: str) -> str:
    """A name as it is used everywhere: ``file://`` URLs become paths."""
    return name[len("file://") :] if name.startswith("file://") else name


def join(folder: str, relative: str) -> str:
    """The name of a file below a folder."""
    return f"{folder.rstrip('/')}/{relative}" if is_url(folder) else os.path.join(folder, relative)


def parent(name: str) -> str:
    """The folder that a file is in."""
    return name.rpartition("/")[0] if is_url(name) else os.path.dirname(name)


def storage_of(name: str) -> Storage:
    """The storage that a name belongs to.

    Raises:
      StorageError: a URL whose protocol is unknown, or whose library is not installed.
    """
    if not is_url(name):
        return _DISK
    protocol, _, rest = name.partition("://")
    return _url_storage(protocol, rest.partition("/")[0])


def fetched(name: str, scratch: Path) -> Path:
    """A file as one of this machine's disk: itself, or a copy below `scratch`.

    The copy is made once for all processes of the machine; `wbc_tf.distributed.scratch` removes it.
    """
    if not is_url(name):
        return Path(name)
    storage = storage_of(name)
    return cached(scratch, name, storage.version(name), partial(storage.download, name))


class Disk:
    """Paths of this machine, shared folders among them."""

    def kind(self, name: str) -> str | None:
        """See `Storage`."""
        if os.path.isdir(name):
            return "folder"
        return "file" if os.path.lexists(name) else None

    def names(self, folder: str, *, recursive: bool) -> Iterator[str]:
        """See `Storage`. Links to folders are followed, each real folder once."""
        unreadable: list[Path] = []
        for path in find_images(
            Path(folder),
            recursive=recursive,
            extensions=None,  # what is taken is for the caller to say
            unreadable=lambda inner, _: unreadable.append(inner),
        ):
            yield path.relative_to(folder).as_posix()
        yield from (f"{path.relative_to(folder).as_posix()}/" for path in unreadable)

    def exists(self, name: str) -> bool:
        """See `Storage`."""
        return os.path.exists(name)

    def read(self, name: str) -> bytes:
        """See `Storage`."""
        return Path(name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """See `Storage`. Its folder is made."""
        self._prepare(os.path.dirname(name))
        write_whole(name, data)

    def version(self, name: str) -> list[Any]:
        """See `Storage`."""
        stat = os.stat(name)
        return [stat.st_size, stat.st_mtime_ns]

    def remove_folder(self, folder: str) -> None:
        """See `Storage`."""
        self._prepare.cache_clear()  # it may be made again
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)

    def download(self, name: str, file: Path) -> None:
        """See `Storage`."""
        shutil.copyfile(name, file)

    @contextlib.contextmanager
    def made(self, name: str) -> Iterator[Path]:
        """See `Storage`. Whoever writes to it writes it whole."""
        self._prepare(os.path.dirname(name))
        yield Path(name)

    @functools.lru_cache(maxsize=1000)  # noqa: B019  # there is one object, for ever
    def _prepare(self, folder: str) -> None:
        """Makes a folder, and removes from it what killed writers left behind; once each."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder or ".")


_DISK = Disk()


@functools.cache
def _url_storage(protocol: str, host: str) -> Storage:
    root = f"{protocol}://{host}"
    try:
        import fsspec

        # A listing that is kept would hide what other workers write.
        system, _ = fsspec.core.url_to_fs(root, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise StorageError(f"{root}: {error}") from error
    return Objects(system, whole=protocol in _OBJECT_STORES)


class Objects:
    """URLs of one object store or file server.

    Args:
      system: fsspec's.
      whole: whether a file appears there only when it is complete.
    """

    def __init__(self, system: Any, *, whole: bool) -> None:
        self._system = system
        self._whole = whole

    def kind(self, name: str) -> str | None:
        """See `Storage`."""
        try:
            info = self._retried(name, self._system.info, self._path(name.rstrip("/")))
        except FileNotFoundError:
            return None
        return "folder" if info["type"] == "directory" else "file"

    def names(self, folder: str, *, recursive: bool) -> Iterator[str]:
        """See `Storage`. From S3 it is streamed; elsewhere a folder's names are held at once."""
        base = self._path(folder).rstrip("/")
        found = self._pages if hasattr(self._system, "call_s3") else self._walk
        for path in found(base, recursive=recursive):
            relative = path[len(base) + 1 :]
            # S3's consoles mark a folder by an object whose name ends with a slash.
            if relative and not relative.endswith("/"):
                yield relative

    def _pages(self, base: str, *, recursive: bool) -> Iterator[str]:
        """S3's own listing, a thousand names at a time; fsspec would hold all of it."""
        bucket, _, prefix = base.partition("/")
        query = {"Bucket": bucket, "Prefix": f"{prefix}/" if prefix else ""}
        if not recursive:
            query["Delimiter"] = "/"
        while True:
            call = partial(self._system.call_s3, "list_objects_v2", **query)
            page = self._retried(base, call)
            for item in page.get("Contents", ()):
                yield f"{bucket}/{item['Key']}"
            if not page.get("IsTruncated"):
                return
            query["ContinuationToken"] = page["NextContinuationToken"]

    def _walk(self, folder: str, *, recursive: bool) -> Iterator[str]:
        listing = self._retried(folder, partial(self._system.ls, folder, detail=True))
        for item in sorted(listing, key=lambda item: str(item["name"])):
            if item["type"] != "directory":
                yield item["name"]
            elif recursive:
                yield from self._walk(item["name"], recursive=True)

    def exists(self, name: str) -> bool:
        """See `Storage`. In S3 a folder is no object, so there is none of its name."""
        # fsspec's own `exists` takes every error for "no".
        if not hasattr(self._system, "call_s3"):
            return self.kind(name) is not None
        bucket, _, key = self._path(name).partition("/")
        try:
            # One request; fsspec would ask for a folder of that name too.
            self._retried(
                name, partial(self._system.call_s3, "head_object", Bucket=bucket, Key=key)
            )
        except FileNotFoundError:
            return False
        return True

    def read(self, name: str) -> bytes:
        """See `Storage`."""
        data: bytes = self._retried(name, self._system.cat_file, self._path(name))
        return data

    def write(self, name: str, data: bytes) -> None:
        """See `Storage`."""
        with self._place(name) as path:
            self._retried(name, self._system.pipe_file, path, data)

    def version(self, name: str) -> list[Any]:
        """See `Storage`."""
        info = self._retried(name, self._system.info, self._path(name))
        times = (info.get(key) for key in ("ETag", "etag", "LastModified", "mtime", "created"))
        return [info["size"], *(str(time) for time in times if time is not None)]

    def remove_folder(self, folder: str) -> None:
        """See `Storage`."""
        with contextlib.suppress(FileNotFoundError):
            self._retried(folder, partial(self._system.rm, self._path(folder), recursive=True))

    def download(self, name: str, file: Path) -> None:
        """See `Storage`."""
        self._retried(name, self._system.get_file, self._path(name), str(file))

    @contextlib.contextmanager
    def made(self, name: str) -> Iterator[Path]:
        """See `Storage`."""
        with tempfile.TemporaryDirectory(prefix="wbc-") as folder:
            file = Path(folder, name.rpartition("/")[2])
            yield file
            with self._place(name) as path:
                self._retried(name, self._system.put_file, str(file), path)

    @contextlib.contextmanager
    def _place(self, name: str) -> Iterator[str]:
        """Where to write to so that the file appears whole under its name afterwards."""
        path = self._path(name)
        if self._whole:
            yield path
            return
        folder = path.rpartition("/")[0]
        temporary = f"{folder}/.wbc-{secrets.token_hex(8)}.tmp"
        self._retried(name, partial(self._system.makedirs, folder, exist_ok=True))
        yield temporary
        self._retried(name, self._system.mv, temporary, path)

    def _path(self, name: str) -> str:
        path: str = self._system._strip_protocol(name)
        return path

    def _retried(self, name: str, operation: Callable[..., T], *arguments: Any) -> T:
        for wait in (*WAITS, None):
            try:
                return operation(*arguments)
            except FileNotFoundError:
                raise FileNotFoundError(f"{name}: there is no such file") from None
            except Exception as error:  # each of fsspec's libraries has errors of its own
                reason = str(error) or type(error).__name__
                if isinstance(error, _LASTING) or type(error).__name__ in _LASTING_NAMES:
                    raise StorageError(f"{name}: {reason}") from error
                if wait is None:
                    raise StorageError(
                        f"{name}: the storage failed {len(WAITS) + 1} times ({reason})"
                    ) from error
            time.sleep(wait * random.uniform(0.5, 1.5))
        raise AssertionError("not reached")
