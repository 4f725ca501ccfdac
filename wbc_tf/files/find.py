"""Which files of a folder are pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wbc_tf.files import PathLike

#: What a folder is searched for. A file named outright is tried whatever it is called. Not each of
#: these can be read everywhere, but none is passed over in silence.
EXTENSIONS = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".apng", ".webp", ".bmp", ".tif", ".tiff", ".gif"),
    *(".avif", ".heic", ".heif"),
)


def find_images(
    folder: PathLike, *, recursive: bool = True, extensions: tuple[str, ...] = EXTENSIONS
) -> Iterator[Path]:
    """The picture files below a folder by extension, sorted, hidden ones left out; streamed.

    Args:
      folder: where to look.
      recursive: in its folders too.
      extensions: what counts, in lower case.

    Raises:
      NotADirectoryError: `folder` is no folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: there is no such folder")
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if recursive:
                yield from find_images(path, extensions=extensions)
        elif path.suffix.lower() in extensions:
            yield path
