"""Training pictures, decoded once and kept while they fit into memory.

What cannot be read is one of two things. A broken file is broken at each attempt: it is left out,
and a resumed run leaves it out as well. A failing disk or network is not: a picture that one
process leaves out and the next one reads would give a resumed run other crops, so that the read is
tried again, and then the run stops.
"""

from __future__ import annotations

import errno
import threading
import time
from pathlib import Path

import numpy as np
from absl import logging

from wbc_tf.files.pictures import ImageReadError, read_rgb

#: Enough for 59 photos of 12 megapixels, or 776 film frames of 1280 x 720.
CACHE_BYTES = 2 * 2**30

#: Seconds before a failed read is tried again.
RETRY_AFTER = (0.5, 2.0, 8.0)

# Reasons that stay: the file is not there, not ours to read, or a link that leads nowhere.
_LASTING = (
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR),
    *(errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG),
)


class ImageFolderError(ValueError):
    """A folder that cannot be trained on; the message names it and says what to do."""


class PictureCache:
    """Reads pictures; keeps the decoded ones until its memory is full.

    What is kept stays: each epoch visits each picture once, so that the pictures read last, which
    other caches keep, are the ones needed last. May be used from several threads, and by several
    samplers: they share the pictures of a folder that both read.

    Args:
      max_bytes: of decoded pictures; 0 keeps none.
    """

    def __init__(self, max_bytes: int = CACHE_BYTES) -> None:
        self._room = max_bytes
        self._kept: dict[Path, np.ndarray] = {}
        self._broken: set[Path] = set()
        self._lock = threading.Lock()

    def read(self, path: Path) -> np.ndarray | None:
        """A picture, uint8 [H, W, 3], not to be written to; None for a broken file.

        A broken file is named in one warning.

        Raises:
          ImageFolderError: the disk or the network fails, also after some seconds.
        """
        if path in self._broken:
            return None
        picture = self._kept.get(path)
        if picture is not None:
            return picture
        try:
            picture = _read_patiently(path)
        except ImageReadError as error:
            with self._lock:  # several threads may read the same file, and one warning is enough
                if path not in self._broken:
                    self._broken.add(path)
                    logging.warning("left out: %s", error)
            return None
        picture.flags.writeable = False
        with self._lock:
            if path not in self._kept and picture.nbytes <= self._room:
                self._kept[path] = picture
                self._room -= picture.nbytes
        return picture


def _read_patiently(path: Path) -> np.ndarray:
    for pause in (*RETRY_AFTER, None):
        try:
            return read_rgb(path)
        except ImageReadError as error:
            if not _may_pass(error):
                raise
            if pause is None:
                raise ImageFolderError(
                    f"{error}. The disk or the network failed {len(RETRY_AFTER) + 1} times. The "
                    "run stops, because without this picture it would go on with other data than "
                    "after a restart. Start it again when the file can be read, or remove the file"
                ) from error
            logging.warning("%s; trying again in %g s", error, pause)
        time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def _may_pass(error: ImageReadError) -> bool:
    """Whether the machine failed, not the file: a decoder's own `OSError` has no number."""
    cause = error.__cause__
    if isinstance(cause, MemoryError):
        return True
    return isinstance(cause, OSError) and cause.errno is not None and cause.errno not in _LASTING
