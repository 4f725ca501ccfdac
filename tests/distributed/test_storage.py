from __future__ import annotations

import errno
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from benchmarks._s3_server import S3Server
from tests.ray_cluster import BUCKET
from wbc_tf.distributed import storage
from wbc_tf.distributed.storage import (
    Objects,
    StorageError,
    fetched,
    is_url,
    join,
    normalized,
    parent,
    storage_of,
)

_number = itertools.count()


@pytest.fixture(params=["disk", "memory", "moved", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder that is not there yet, on each kind of storage."""
    if request.param == "s3":
        request.getfixturevalue("s3")
        return f"s3://{BUCKET}/storage{next(_number)}"
    return {
        "disk": str(tmp_path / "folder"),
        "memory": f"memory://storage{next(_number)}",
        "moved": f"local://{tmp_path}/folder",  # fsspec's own, which gets no special treatment
    }[request.param]


def test_what_is_written_is_there(root: str, tmp_path: Path) -> None:
    store = storage_of(root)
    name = join(root, "deep/a.png")
    assert (store.kind(name), store.exists(name)) == (None, False)
    store.write(name, b"one")
    before = store.version(name)
    store.write(name, b"three")
    assert store.read(name) == b"three"
    assert store.version(name) != before
    assert (store.kind(name), store.kind(parent(name))) == ("file", "folder")
    with store.made(join(root, "b.png")) as path:
        path.write_bytes(b"two")
    store.download(join(root, "b.png"), tmp_path / "here")
    assert (tmp_path / "here").read_bytes() == b"two"
    store.write(join(root, "c#%20?.txt"), b"")
    assert list(store.names(root, recursive=False)) == ["b.png", "c#%20?.txt"]
    assert sorted(store.names(root, recursive=True)) == ["b.png", "c#%20?.txt", "deep/a.png"]
    copy = fetched(name, tmp_path / "scratch")
    assert (copy.name, copy.read_bytes()) == ("a.png", b"three")
    store.remove_folder(root)
    store.remove_folder(root)  # what is not there stays so
    assert not store.exists(name)
    with pytest.raises(FileNotFoundError, match=r"a\.png"):
        store.read(name)


def test_what_fails_half_way_leaves_nothing(root: str) -> None:
    store, name = storage_of(root), join(root, "a.png")
    store.write(join(root, "b.png"), b"")

    def broken_off() -> None:
        with store.made(name) as path:
            path.with_name("part").write_bytes(b"half")
            path.with_name("part").unlink()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert list(store.names(root, recursive=True)) == ["b.png"]


def test_a_file_is_moved_to_its_name_where_it_would_grow_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = fsspec.filesystem("local")
    store = Objects(system, whole=False)
    seen: list[list[str]] = []
    move = system.mv

    def look(source: str, target: str) -> None:
        seen.append([path.name for path in tmp_path.iterdir()])
        move(source, target)

    monkeypatch.setattr(system, "mv", look)
    store.write(f"local://{tmp_path}/a.png", b"all of it")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    ((before,),) = seen
    assert before.startswith(".wbc-")


class Failing:
    """A file system that fails so many times before it answers."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.times, self.asked = error, times, 0

    def _strip_protocol(self, name: str) -> str:
        return name

    def cat_file(self, path: str) -> bytes:
        self.asked += 1
        if self.asked <= self.times:
            raise self.error
        return b"content"


@pytest.mark.parametrize(
    ("error", "times", "asked"),
    [
        (OSError(errno.EBUSY, "Please slow down"), 3, 4),
        (OSError(errno.EBUSY, "Please slow down"), 99, 5),
        (ConnectionError("nobody there"), 1, 2),
        (PermissionError("not yours"), 99, 1),
    ],
)
def test_errors_that_pass_are_tried_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception, times: int, asked: int
) -> None:
    monkeypatch.setattr(storage, "WAITS", (0.0,) * 4)
    system = Failing(error, times)
    store = Objects(system, whole=True)
    if times < 99:
        assert store.read("s3://b/a.png") == b"content"
    else:
        with pytest.raises(StorageError, match=rf"s3://b/a\.png: .*{error.args[-1]}"):
            store.read("s3://b/a.png")
    assert system.asked == asked


def test_a_busy_server_is_waited_for(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "busy", 0.3)
    name = f"s3://{BUCKET}/busy/a.png"
    for content in (b"one", b"two"):
        storage_of(name).write(name, content)
        assert storage_of(name).read(name) == content
        assert not storage_of(name).exists(name + "x")


def test_a_listing_of_s3_is_read_page_by_page() -> None:
    asked: list[dict[str, Any]] = []

    class Pages:
        def _strip_protocol(self, name: str) -> str:
            return name.partition("://")[2]

        def call_s3(self, method: str, **query: Any) -> dict[str, Any]:
            asked.append({"method": method, **query})
            keys = [{"Key": f"in/{len(asked)}{letter}.png"} for letter in "ab"]
            return {"Contents": keys, "IsTruncated": True, "NextContinuationToken": len(asked)}

    names = Objects(Pages(), whole=True).names("s3://b/in", recursive=False)
    assert list(itertools.islice(names, 3)) == ["1a.png", "1b.png", "2a.png"]
    first = {"method": "list_objects_v2", "Bucket": "b", "Prefix": "in/", "Delimiter": "/"}
    assert asked == [first, {**first, "ContinuationToken": 1}]


def test_a_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "a.png").touch()
    listdir: Callable[[Any], list[str]] = storage.os.listdir

    def refuse(folder: Any) -> list[str]:
        if Path(folder).name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied")
        return listdir(folder)

    monkeypatch.setattr(storage.os, "listdir", refuse)
    names = storage_of(str(tmp_path)).names(str(tmp_path), recursive=True)
    assert list(names) == ["a.png", "locked/"]


def test_names_are_paths_or_urls() -> None:
    assert [is_url(name) for name in ("a/b.png", "s3://a/b.png")] == [False, True]
    assert normalized("file:///a/b.png") == "/a/b.png"
    assert normalized("s3://a/b.png") == "s3://a/b.png"


def test_a_protocol_that_nobody_knows_is_named() -> None:
    with pytest.raises(StorageError, match="s4://bucket"):
        storage_of("s4://bucket/a.png")
