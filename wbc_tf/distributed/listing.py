"""Which file becomes which, as a stream: a folder of ten million names is never held in memory.

The names of results are those of `wbc_tf.inference.jobs.plan_jobs`. What that refuses before
anything is written can be seen here only when the name is reached: it is then a failed entry.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Union

from wbc_tf.distributed.storage import is_url, join, normalized, parent, storage_of
from wbc_tf.files.find import EXTENSIONS
from wbc_tf.inference.jobs import (
    InputError,
    ignores_case,
    refuse_misspelt,
    refuse_unwritable,
    result_name,
    writable_name,
)
from wbc_tf.inference.report import Entry, ignored_entry
from wbc_tf.video.formats import VIDEO_EXTENSIONS, is_video

_ENDINGS = (*EXTENSIONS, *VIDEO_EXTENSIONS)


@dataclass(frozen=True)
class FileJob:
    """One picture or video to be made; `source` and `target` are paths or URLs."""

    source: str
    target: str


#: What comes out of the list: a job, or the entry of a file that is ignored or refused.
Listed = Union[FileJob, Entry]


@dataclass(frozen=True)
class _Given:
    """One --input. `names` gives the files relative to `folder`."""

    folder: str
    names: Callable[[], Iterator[str]]
    #: Files that a user named are taken whatever their endings are.
    outright: bool = False


def list_jobs(
    inputs: Sequence[str],
    output: str,
    *,
    recursive: bool = False,
    file_format: str = "same",
    strict_names: bool = False,
    check: Callable[[FileJob], str | None] = lambda job: None,
) -> Iterator[Listed]:
    """Pairs every input file with the file it becomes, while it is listed.

    With one input, memory does not grow with the number of names, apart from what one folder of a
    disk holds. With several, the names of all results are kept, for two may be the same.

    Args:
      inputs: files, folders and patterns; paths or URLs. In URLs the last part may be a pattern.
      output: a folder; or, for a single input file, a file name with a picture's ending.
      recursive: look into folders' folders too; their tree is kept below `output`.
      file_format: see `plan_jobs`.
      strict_names: see `plan_jobs`.
      check: says why a job is not possible, or None.

    Raises:
      InputError: an input that is not there, or an output that cannot be written to. It is raised
        before the first item.
      StorageError: a store cannot be reached.
    """
    output = normalized(output)
    given = [each for name in inputs for each in _given(normalized(name), recursive)]
    single = _single_file(given, output, file_format)
    if single is not None:
        yield from _checked(single, check)
        return
    if not is_url(output):
        output = str(Path(output))
        refuse_unwritable(Path(output))
    elif storage_of(output).kind(_root(output)) is None:
        raise InputError(f"--output={output}: {_root(output)} is not there")
    fold = not is_url(output) and ignores_case(Path(output))
    targets = _Targets(keep_all=len(given) > 1 or fold, fold=fold, strict=strict_names)
    for each in given:
        results = _below(each.folder, output)
        for relative in each.names():
            if any(part.startswith(".") for part in relative.split("/")) and not each.outright:
                continue
            if results is not None and relative.startswith(results):
                continue
            source = join(each.folder, relative.rstrip("/"))
            readable = relative.endswith("/") or relative.lower().endswith(_ENDINGS)
            if not readable and not each.outright:
                yield ignored_entry(source)
                continue
            wanted = result_name(Path(relative.rstrip("/")), file_format, videos=True).as_posix()
            named = targets.claim(source, relative.rstrip("/"), wanted)
            if named is None:
                continue
            job = FileJob(source, join(output, named.target))
            if named.clash:
                reason = f"{named.clash} and {source} would both become {job.target}"
                yield Entry(source, job.target, "failed", error=reason)
            else:
                yield from _checked(job, check)


def _checked(job: FileJob, check: Callable[[FileJob], str | None]) -> Iterator[Listed]:
    same = job.source == job.target
    if not is_url(job.source) and not is_url(job.target):
        same = os.path.abspath(job.source) == os.path.abspath(job.target)
    reason = f"{job.source} would be overwritten; choose another --output" if same else check(job)
    yield job if reason is None else Entry(job.source, job.target, "failed", error=reason)


def _given(name: str, recursive: bool) -> Iterator[_Given]:
    name = name if is_url(name) else str(Path(name))
    storage = storage_of(name)
    kind = storage.kind(name)
    if kind == "folder":
        yield _Given(name, lambda: storage.names(name, recursive=recursive))
    elif kind == "file":
        yield _file(name, outright=True)
    elif is_url(name):
        folder, _, pattern = name.rpartition("/")
        if not glob.has_magic(pattern) or glob.has_magic(folder):
            raise InputError(
                f"--input={name}: no such file or folder (a pattern may stand in the last part)"
            )
        names = storage.names(folder, recursive=False)
        yield _Given(folder, lambda: (n for n in names if fnmatch.fnmatchcase(n, pattern)))
    else:
        found = sorted(glob.glob(name, recursive=True))
        if not found:
            raise InputError(f"--input={name}: no such file or folder, and no name matches it")
        for path in found:
            if os.path.isdir(path):
                yield from _given(path, recursive)
            elif path.lower().endswith(_ENDINGS):  # photos/* matches notes as well
                yield _file(path, outright=False)


def _file(name: str, *, outright: bool) -> _Given:
    relative = name.rpartition("/")[2] if is_url(name) else os.path.basename(name)
    return _Given(parent(name), lambda: iter([relative]), outright=outright)


def _single_file(given: Sequence[_Given], output: str, file_format: str) -> FileJob | None:
    """The only job, where --output is the name of a file."""
    suffix = PurePosixPath(output).suffix.lower()
    is_folder = output.endswith("/") or storage_of(output).kind(output) == "folder"
    alone = len(given) == 1 and given[0].outright
    if is_folder or suffix not in _ENDINGS:
        if alone and not is_folder and not is_url(output):
            refuse_misspelt(Path(output), suffix, _ENDINGS)
        return None
    if not alone:
        raise InputError(f"--output={output} is one file, but --input is not")
    (relative,) = given[0].names()
    writable_name(Path(output), file_format, video=is_video(Path(relative)))
    if not is_url(output):
        refuse_unwritable(Path(output).parent)
    return FileJob(join(given[0].folder, relative), output)


def _root(url: str) -> str:
    """The bucket of a URL."""
    protocol, _, rest = url.partition("://")
    return f"{protocol}://{rest.partition('/')[0]}"


def _below(folder: str, output: str) -> str | None:
    """How names of `folder` begin that are results in `output`; None where there can be none."""
    if is_url(folder) != is_url(output):
        return None
    if not is_url(folder):
        folder, output = os.path.realpath(folder), os.path.realpath(output)
    start = folder.rstrip("/") + "/"
    return output.rstrip("/")[len(start) :] + "/" if output.startswith(start) else None


@dataclass(frozen=True)
class _Named:
    """The name of a result; `clash` is the earlier source that has the same."""

    target: str
    clash: str | None


class _Targets:
    """The names of results, so that no two are the same.

    Args:
      keep_all: remember all names. Else only those that names to come may still clash with: of a
        folder that is listed in order, two files have one result only where both begin with the
        same stem and a dot, and so stand close together.
      fold: the disk takes A.png and a.png for one file.
      strict: refuse the second instead of giving it another name.
    """

    def __init__(self, *, keep_all: bool, fold: bool, strict: bool) -> None:
        self._keep_all, self._fold, self._strict = keep_all, fold, strict
        # Result: its source, and the source's name without its ending, with the dot.
        self._taken: dict[str, tuple[str, str]] = {}

    def claim(self, source: str, relative: str, target: str) -> _Named | None:
        """The name that a source gets; None where the source was given twice."""
        if not self._keep_all:
            self._taken = {
                key: taken for key, taken in self._taken.items() if relative.startswith(taken[1])
            }
        first = self._taken.get(self._key(target))
        if first is not None and first[0] == source:
            return None
        if first and not self._strict and _file_name(first[0]) != _file_name(source):
            folder, _, name = relative.rpartition("/")
            target = f"{folder}{'/' if folder else ''}{name}{PurePosixPath(target).suffix}"
        clash = self._taken.get(self._key(target))
        stem = relative[: -len(PurePosixPath(relative).suffix) or None]
        self._taken.setdefault(self._key(target), (source, f"{stem}."))
        return _Named(target, clash[0] if clash else None)

    def _key(self, target: str) -> str:
        return unicodedata.normalize("NFC", target).casefold() if self._fold else target


def _file_name(source: str) -> str:
    return source.rpartition("/")[2].casefold()
