"""Many pictures and videos: which file becomes which."""

from __future__ import annotations

import difflib
import errno
import glob
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wbc_tf.files import PathLike
from wbc_tf.files.find import EXTENSIONS, find_images
from wbc_tf.files.formats import FORMATS, format_of
from wbc_tf.video.formats import (
    CONTAINERS,
    FALLBACK_EXTENSION,
    VIDEO_EXTENSIONS,
    container_of,
    is_video,
)


class InputError(ValueError):
    """A request of which nothing can be done; raised before anything is written."""


#: Errors of the disk that each further file would meet too.
ENDS_ALL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class OutputError(Exception):
    """The disk is full or read-only; what was written before stays."""

    def __init__(self, place: PathLike, error: OSError) -> None:
        super().__init__(
            f"{place}: cannot write there ({error.strerror}). Stopped; the same call goes on from "
            "here"
        )


@dataclass(frozen=True)
class Job:
    """One picture or video to be made: read from `source`, written to `target`."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Tally:
    """How many jobs were written, skipped and failed."""

    written: int = 0
    skipped: int = 0
    failed: int = 0

    def counted(self, status: str) -> Tally:
        """With one job more, which is now "written", "skipped" or "failed"."""
        return replace(self, **{status: getattr(self, status) + 1})

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.written + other.written,
            self.skipped + other.skipped,
            self.failed + other.failed,
        )

    def __str__(self) -> str:
        return f"{self.written} written, {self.skipped} skipped, {self.failed} failed"


def plan_jobs(
    inputs: Sequence[str],
    output: PathLike,
    *,
    recursive: bool = False,
    file_format: str = "same",
    videos: bool = False,
    strict_names: bool = False,
    ignored: list[Path] | None = None,
) -> list[Job]:
    """Pairs every input picture with the file it becomes.

    Args:
      inputs: files, folders and glob patterns. A folder's pictures and a pattern's are found by
        extension; a file that is named outright is taken whatever it is called.
      output: a folder; or, for a single input file, a file name with a picture's extension.
      recursive: look into folders' folders too; their tree is kept below `output`.
      file_format: a key of `wbc_tf.files.formats.FORMATS`, or "same" to keep each file's own (PNG
        where we cannot write that one).
      strict_names: refuse inputs that would become the same file. Otherwise the second one keeps
        its whole name: ``c.3gp`` becomes ``c.mkv``, and ``c.flv`` then ``c.flv.mkv``.
      ignored: the files of input folders that are left out because of their endings are added.
      videos: take videos too, see `wbc_tf.video.formats.is_video`; they keep their container, or
        become Matroska where we cannot write that one.

    Raises:
      InputError: an input that is not there or holds no picture, two that would become the same
        file, one that would overwrite itself, or an output folder that cannot be written to.
    """
    ends_like_a_folder = os.fspath(output).endswith(("/", os.sep))
    output = Path(output)
    extensions = (*EXTENSIONS, *VIDEO_EXTENSIONS) if videos else EXTENSIONS
    sources = list(
        _find_sources(
            inputs,
            extensions,
            recursive=recursive,
            leave_out=output,
            ignored=[] if ignored is None else ignored,
        )
    )
    if not sources:
        raise InputError(
            f"no pictures{' or videos' if videos else ''} ({' '.join(extensions)}) in "
            f"{', '.join(inputs)}"
        )
    suffix = output.suffix.lower()
    if suffix in extensions and not output.is_dir():
        if len(sources) > 1:
            raise InputError(f"--output={output} is one file, but there are {len(sources)} inputs")
        source = sources[0][0]
        video = videos and is_video(source)
        jobs = [Job(source, writable_name(output, file_format, video=video))]
    else:
        if len(sources) == 1 and not ends_like_a_folder and not output.is_dir():
            refuse_misspelt(output, suffix, extensions)
        jobs = [
            Job(path, output / result_name(path.relative_to(base), file_format, videos=videos))
            for path, base in sources
        ]
    jobs = _without_clashes(jobs, strict_names=strict_names)
    refuse_unwritable(jobs[0].target.parent)
    return jobs


def refuse_overwriting(path: PathLike, flag: str, jobs: Iterable[Job]) -> None:
    """Raises `InputError` where a file that a flag names is an input or a result of a job."""
    written = _real(Path(path))
    for job in jobs:
        if written == _real(job.source):
            raise InputError(f"{flag}={path} would overwrite an input; choose another file")
        if written == _real(job.target):
            raise InputError(f"{flag}={path} is also the result of {job.source}; choose another")


def refuse_misspelt(output: Path, suffix: str, extensions: tuple[str, ...]) -> None:
    """Raises `InputError` where a folder's name looks like a mistyped picture's."""
    for meant in difflib.get_close_matches(suffix, extensions, n=1, cutoff=0.7):
        raise InputError(
            f"--output={output}: did you mean {output.with_suffix(meant)}? If it is to be a "
            f"folder, write {output}/"
        )


def _real(path: Path) -> Path:
    # Path.resolve raises an error of its own kind for links that lead in a circle.
    return Path(os.path.realpath(path))


def _find_sources(
    inputs: Iterable[str],
    extensions: tuple[str, ...],
    *,
    recursive: bool,
    leave_out: Path,
    ignored: list[Path],
) -> Iterator[tuple[Path, Path]]:
    """Yields (picture, the folder its place in the output is counted from), each picture once."""
    excluded = _real(leave_out)
    seen = set()
    for given in inputs:
        # A name that exists is meant literally, even one with brackets or stars in it.
        # A link to nothing is there as well: that it leads nowhere is said when it is read.
        literal = os.path.lexists(given)
        paths = [Path(given)] if literal else sorted(map(Path, glob.glob(given, recursive=True)))
        if not paths:
            raise InputError(f"--input={given}: no such file or folder, and no name matches it")
        if not literal:  # photos/* matches notes as well
            paths = [p for p in paths if p.is_dir() or p.suffix.lower() in extensions]
        for path in paths:
            base = path if path.is_dir() else path.parent
            # An output folder below the input holds results of earlier runs, not photos.
            holds_output = _real(path) in excluded.parents
            for picture in _below(path, extensions, recursive=recursive, ignored=ignored):
                real = _real(picture)
                if real not in seen and not (holds_output and excluded in real.parents):
                    seen.add(real)
                    yield picture, base


def _below(
    path: Path, extensions: tuple[str, ...], *, recursive: bool, ignored: list[Path]
) -> Iterator[Path]:
    """The pictures of a folder; a file itself. An unreadable folder too: reading it names it."""
    if not path.is_dir():
        yield path
        return
    unreadable: list[Path] = []
    yield from find_images(
        path,
        recursive=recursive,
        extensions=extensions,
        ignored=ignored.append,
        unreadable=lambda folder, _: unreadable.append(folder),
    )
    yield from unreadable


def result_name(path: Path, file_format: str, *, videos: bool) -> Path:
    """What an input is called when it is made; for the arguments see `plan_jobs`."""
    if videos and is_video(path):
        return path if path.suffix.lower() in CONTAINERS else path.with_suffix(FALLBACK_EXTENSION)
    if file_format != "same":
        return path.with_suffix(FORMATS[file_format])
    try:
        format_of(path)
    except ValueError:
        return path.with_suffix(FORMATS["PNG"])
    return path


def writable_name(output: Path, file_format: str, *, video: bool) -> Path:
    """The name of a single output file.

    Raises:
      InputError: its ending is none that we write, or contradicts the format.
    """
    try:
        if video:
            container_of(output)
            return output
        by_name = format_of(output)
    except ValueError as error:
        raise InputError(str(error)) from error
    if file_format not in ("same", by_name):
        raise InputError(f"--output={output} is named as {by_name}, but --format={file_format}")
    return output


def _without_clashes(jobs: Sequence[Job], *, strict_names: bool) -> list[Job]:
    """The jobs with targets of their own.

    Raises:
      InputError: an input would be overwritten, or several inputs would become the same file.
    """
    fold = ignores_case(jobs[0].target.parent)
    taken: dict[str, Path] = {}
    kept, clashes = [], []
    for job in jobs:
        target = job.target
        first = taken.get(_key(target, fold))
        # Inputs of one name, from two folders, would clash by their whole names as well.
        if first and not strict_names and first.name.casefold() != job.source.name.casefold():
            target = target.with_name(f"{job.source.name}{target.suffix}")
        if _real(target) == _real(job.source):
            raise InputError(f"{job.source} would be overwritten; choose another --output")
        key = _key(target, fold)
        if key in taken:
            clashes.append(f"{taken[key]} and {job.source} would both become {target}")
        taken.setdefault(key, job.source)
        kept.append(Job(job.source, target))
    if clashes:
        raise InputError("; ".join(clashes))
    return kept


def _key(target: Path, fold: bool) -> str:
    real = str(_real(target))
    return unicodedata.normalize("NFC", real).casefold() if fold else real


def ignores_case(folder: Path) -> bool:
    """Whether the disk takes A.png and a.png for one file, as Windows and macOS mostly do."""
    folder = _real(folder)
    while not folder.exists():
        folder = folder.parent
    other = folder.with_name(folder.name.swapcase()) if folder.name else folder
    try:
        return other != folder and other.samefile(folder)
    except OSError:
        return False


def refuse_unwritable(folder: Path) -> None:
    """Raises `InputError` before seconds go into loading a model; creates nothing."""
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise InputError(f"{folder}: cannot write there, it is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{folder}: cannot write there, the folder is read-only")
