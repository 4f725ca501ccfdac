"""Picture formats that we write, by name and by file ending. Importing this imports no library."""

from __future__ import annotations

from pathlib import Path

from wbc_tf.files import PathLike

#: Formats we write, as Pillow names them, and the ending that each gets.
FORMATS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "GIF": ".gif",
}

_ENDINGS = {
    **{ending: name for name, ending in FORMATS.items()},
    **{".jpeg": "JPEG", ".jfif": "JPEG", ".apng": "PNG", ".tiff": "TIFF"},
}


def format_of(path: PathLike) -> str:
    """The `FORMATS` key that a file's ending asks for.

    Raises:
      ValueError: the ending is none that we write.
    """
    suffix = Path(path).suffix.lower()
    if suffix in _ENDINGS:
        return _ENDINGS[suffix]
    known = ", ".join(sorted(FORMATS.values()))
    raise ValueError(f"{path}: cannot write '{suffix}'; choose one of {known}")
