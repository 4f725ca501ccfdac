"""Which files of a folder are pictures. Importing this imports no library."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from wbc_tf.files import PathLike

#: File endings that a folder is searched for. A file that is named outright is tried whatever its
#: ending is. HEIC cannot be read, but it is listed so that it is named and not passed over.
EXTENSIONS = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".apng", ".webp", ".bmp", ".tif", ".tiff", ".gif"),
    *(".avif", ".heic", ".heif", ".ppm", ".pgm", ".pbm", ".tga", ".jp2", ".ico"),
)


def find_images(
    folder: PathLike,
    *,
    recursive: bool = True,
    extensions: tuple[str, ...] | None = EXTENSIONS,
    ignored: Callable[[Path], None] | None = None,
    unreadable: Callable[[Path, OSError], None] | None = None,
) -> Iterator[Path]:
    """The picture files of a folder by their endings, sorted, hidden ones left out; streamed.

    Links to folders are followed, but each real folder is visited once: links that point upward or
    at each other do not lead in circles.

    Args:
      folder: where to look.
      recursive: in its folders too.
      extensions: the endings to take, in lower case; None takes all.
      ignored: is called with each other file that is not hidden.
      unreadable: is called with each inner folder that cannot be listed; None raises instead.

    Raises:
      NotADirectoryError: `folder` is no folder.
      OSError: a folder cannot be listed.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: there is no such folder")
    visited: set[tuple[int, int]] = set()

    def walk(folder: Path) -> Iterator[Path]:
        try:
            status = os.stat(folder)
            real = (status.st_dev, status.st_ino)
            if real in visited:
                return
            visited.add(real)
            names = sorted(os.listdir(folder))  # as text, for a folder may hold millions
        except OSError as error:
            if unreadable is None:
                raise
            unreadable(folder, error)
            return
        for name in names:
            if name.startswith("."):
                continue
            path = folder / name
            if path.is_dir():
                if recursive:
                    yield from walk(path)
            elif extensions is None or path.suffix.lower() in extensions:
                yield path
            elif ignored is not None:
                ignored(path)

    yield from walk(folder)
