"""Many pictures: which file becomes which, and a loop that no bad file stops."""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from wbc_tf.images import (
    EXTENSIONS,
    FORMATS,
    ImageReadError,
    PathLike,
    find_images,
    format_of,
    read_photo,
    reduce_to_short_side,
    write_image,
)

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer


class InputError(ValueError):
    """A request that makes no sense as a whole; raised before anything is written."""


@dataclass(frozen=True)
class Job:
    """One picture to be made: read from `source`, written to `target`."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Tally:
    """What became of the jobs, by number."""

    written: int
    skipped: int
    failed: int


def plan_jobs(
    inputs: Sequence[str], output: PathLike, *, recursive: bool = False, file_format: str = "same"
) -> list[Job]:
    """Pairs every input picture with the file it becomes.

    Args:
      inputs: files, folders and glob patterns. A folder's pictures are found by extension; a file
        that is named outright is taken whatever it is called.
      output: a folder; or, for a single input file, a file name with a picture's extension.
      recursive: look into folders' folders too; their tree is kept below `output`.
      file_format: a key of `wbc_tf.images.FORMATS`, or "same" to keep each file's own (PNG where we
        cannot write that one).

    Raises:
      InputError: an input that is not there or holds no picture, two that would become the same
        file, or one that would overwrite itself.
    """
    output = Path(output)
    sources = list(_find_sources(inputs, recursive=recursive, leave_out=output))
    if not sources:
        raise InputError(f"no pictures ({' '.join(EXTENSIONS)}) in {', '.join(inputs)}")
    if output.suffix.lower() in EXTENSIONS and not output.is_dir():
        if len(sources) > 1:
            raise InputError(f"--output={output} is one file, but there are {len(sources)} inputs")
        jobs = [Job(sources[0][0], _writable(output, file_format))]
    else:
        jobs = [
            Job(path, output / _named(path.relative_to(base), file_format))
            for path, base in sources
        ]
    _refuse_clashes(jobs)
    return jobs


def _find_sources(
    inputs: Iterable[str], *, recursive: bool, leave_out: Path
) -> Iterator[tuple[Path, Path]]:
    """Yields (picture, the folder its place in the output is counted from), each picture once."""
    excluded = leave_out.resolve()
    seen = set()
    for given in inputs:
        # A name that exists is meant literally, even one with brackets or stars in it.
        paths = [Path(given)] if Path(given).exists() else sorted(map(Path, glob.glob(given)))
        if not paths:
            raise InputError(f"--input={given}: no such file or folder, and no name matches it")
        for path in paths:
            base = path if path.is_dir() else path.parent
            # An output folder below the input holds results of earlier runs, not photos.
            holds_output = path.resolve() in excluded.parents
            for picture in find_images(path, recursive=recursive) if path.is_dir() else [path]:
                resolved = picture.resolve()
                if resolved not in seen and not (holds_output and excluded in resolved.parents):
                    seen.add(resolved)
                    yield picture, base


def _named(path: Path, file_format: str) -> Path:
    if file_format != "same":
        return path.with_suffix(FORMATS[file_format])
    try:
        format_of(path)
    except ValueError:
        return path.with_suffix(FORMATS["PNG"])
    return path


def _writable(output: Path, file_format: str) -> Path:
    try:
        by_name = format_of(output)
    except ValueError as error:
        raise InputError(str(error)) from error
    if file_format not in ("same", by_name):
        raise InputError(f"--output={output} is named as {by_name}, but --format={file_format}")
    return output


def _refuse_clashes(jobs: Iterable[Job]) -> None:
    targets: dict[Path, Path] = {}
    for job in jobs:
        target = job.target.resolve()
        if target == job.source.resolve():
            raise InputError(f"{job.source} would be overwritten; choose another --output")
        if target in targets:
            raise InputError(f"{targets[target]} and {job.source} would both become {job.target}")
        targets[target] = job.source


def cartoonize_files(
    cartoonizer: Cartoonizer,
    jobs: Sequence[Job],
    *,
    short_side: int,
    output_size: str,
    quality: int = 95,
    overwrite: bool = False,
) -> Tally:
    """Works through the jobs; a bad file is named on stderr and counted, and the rest goes on.

    Args:
      cartoonizer: the model.
      jobs: from `plan_jobs`.
      short_side: working resolution, see `Cartoonizer`.
      output_size: "input" or "working", see `Cartoonizer`.
      quality: of JPEG and WebP, 1 to 100.
      overwrite: make files again that are already there; else they are skipped.
    """
    import tensorflow as tf

    written = skipped = failed = 0
    for job in tqdm(jobs, unit="img", disable=None):
        try:
            if job.target.exists() and not overwrite:
                skipped += 1
                continue
            photo = read_photo(job.source)
            cartoon = cartoonizer(photo.rgb, short_side=short_side, output_size=output_size)
            alpha = photo.alpha
            if alpha is not None and output_size == "working":
                alpha = reduce_to_short_side(alpha, short_side)
            job.target.parent.mkdir(parents=True, exist_ok=True)
            write_image(job.target, cartoon, alpha=alpha, quality=quality)
            written += 1
        except ImageReadError as error:
            failed += 1
            tqdm.write(f"failed: {error}", file=sys.stderr)
        except (OSError, ValueError, MemoryError, tf.errors.OpError) as error:
            failed += 1
            tqdm.write(f"failed: {job.source} -> {job.target}: {error}", file=sys.stderr)
    return Tally(written=written, skipped=skipped, failed=failed)
