from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.files.mirror import Mirror
from wbc_tf.files import download
from wbc_tf.files.download import DownloadError, cache_folder, fetch_published, git_blob_sha1

CONTENTS = {"first": b"hello world\n", "second": bytes(range(256)) * 500}
PUBLISHED = {
    "first": "3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
    "second": "52ed875eabdd321d59ee948cd284b5a9aea19b9c",
}


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    mirror = Mirror(dict(CONTENTS))
    yield mirror
    mirror.close()


def _kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_hashes_are_gits(tmp_path: Path) -> None:
    # git hash-object of an empty file and of "hello world\n", as known everywhere.
    for content, expected in (
        (b"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
        (CONTENTS["first"], PUBLISHED["first"]),
    ):
        (tmp_path / "file").write_bytes(content)
        assert git_blob_sha1(tmp_path / "file") == expected


def test_the_cache_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("name") == tmp_path / "wbc_tf" / "name"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder("name") == Path.home() / ".cache" / "wbc_tf" / "name"


def test_what_is_kept_is_not_fetched_again_unless_it_is_spoilt(
    mirror: Mirror, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "folder"
    fetch_published(PUBLISHED, base_url=mirror.url, folder=folder)
    assert {name: (folder / name).read_bytes() for name in PUBLISHED} == CONTENTS
    assert mirror.asked == ["first", "second"]
    (folder / "second").write_bytes(b"spoilt")
    fetch_published(PUBLISHED, base_url=f"{mirror.url}/", folder=folder)
    assert mirror.asked == ["first", "second", "second"]
    assert (folder / "second").read_bytes() == CONTENTS["second"]
    assert _kept(folder) == ["first", "second"]


def _refused(url: str, folder: Path) -> str:
    """Fetches what must fail at its first file; what was said."""
    with pytest.raises(DownloadError) as raised:
        fetch_published(PUBLISHED, base_url=url, folder=folder)
    assert _kept(folder) == []
    return str(raised.value)


def test_another_content_than_published_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files["first"] = b"hello World\n"
    message = _refused(mirror.url, tmp_path)
    assert f"{mirror.url}/first: not the published file" in message
    assert PUBLISHED["first"] in message


def test_a_body_that_is_cut_off_is_refused_and_the_other_file_kept(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.cut_off = "second"
    with pytest.raises(DownloadError, match=f"{mirror.url}/second: cut off after 64000 of 128000"):
        fetch_published(PUBLISHED, base_url=mirror.url, folder=tmp_path)
    assert _kept(tmp_path) == ["first"]
    mirror.cut_off = ""
    mirror.asked.clear()
    fetch_published(PUBLISHED, base_url=mirror.url, folder=tmp_path)
    assert mirror.asked == ["second"]


def test_a_body_that_stalls_is_given_up(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_TIMEOUT_SECONDS", 0.3)
    mirror.stall = "first"
    message = _refused(mirror.url, tmp_path)
    assert f"{mirror.url}/first: could not be fetched" in message
    assert "timed out" in message


def test_what_cannot_be_reached_is_named(mirror: Mirror, tmp_path: Path) -> None:
    del mirror.files["first"]
    assert "first: could not be fetched (Not Found)" in _refused(mirror.url, tmp_path)
    with socket.socket() as closed:  # bound and never listening
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        message = _refused(url, tmp_path)
    assert f"{url}/first: could not be fetched" in message
    assert "refused" in message
    assert "saved_models/first" in _refused("saved_models", tmp_path)  # no URL at all
