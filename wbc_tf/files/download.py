"""Published files, fetched once, checked against known hashes, and kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

from tqdm import tqdm

from wbc_tf.files import PathLike
from wbc_tf.files.whole import remove_leftovers, whole_file

_TIMEOUT_SECONDS = 30


class DownloadError(Exception):
    """A file that could not be fetched as it was published; the message says which and why."""


def cache_folder(name: str) -> Path:
    """Where files are kept: ``$XDG_CACHE_HOME/wbc_tf/NAME``, by default in ~/.cache."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "wbc_tf" / name


def fetch_published(files: Mapping[str, str], *, base_url: str, folder: PathLike) -> None:
    """Fetches the files that the folder does not hold yet, each checked against its hash.

    Args:
      files: name -> git's SHA-1 of its content as a blob.
      base_url: the folder on the web they lie in.
      folder: where to keep them; made if it is missing.

    Raises:
      DownloadError: no answer, a cut-off body or another content than published; the file in
        question is not kept.
      OSError: the folder cannot be written to.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    for name, sha1 in files.items():
        target = folder / name
        if not (target.is_file() and git_blob_sha1(target) == sha1):
            with whole_file(target) as partial:
                _fetch(f"{base_url.rstrip('/')}/{name}", partial, name=name, sha1=sha1)


def git_blob_sha1(path: PathLike) -> str:
    """The SHA-1 by which git names a file's content."""
    path = Path(path)
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size)
    digest.update(path.read_bytes())
    return digest.hexdigest()


def _fetch(url: str, partial: Path, *, name: str, sha1: str) -> None:
    try:
        with (
            partial.open("wb") as stream,
            urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response,
        ):
            length = int(response.headers.get("Content-Length") or 0)
            with tqdm(total=length or None, unit="B", unit_scale=True, desc=name) as bar:
                while chunk := response.read(1 << 16):
                    stream.write(chunk)
                    bar.update(len(chunk))
    except (OSError, HTTPException, ValueError) as error:  # ValueError: what is no URL at all
        reason = getattr(error, "reason", None) or error
        raise DownloadError(f"{url}: could not be fetched ({reason}).") from error
    received = partial.stat().st_size
    if length and received != length:
        raise DownloadError(
            f"{url}: cut off after {received} of {length} bytes. Nothing was kept; try again."
        )
    if git_blob_sha1(partial) != sha1:
        raise DownloadError(
            f"{url}: not the published file (git blob {git_blob_sha1(partial)}, expected "
            f"{sha1}). Nothing was kept; a proxy or mirror may have changed it."
        )
