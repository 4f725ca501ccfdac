"""The private folder that holds uploads and results, and forgets them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from wbc_tf.files.owners import is_left_over, owner

#: Seconds that a file stays.
KEPT_FOR = 3600.0
#: Seconds between two looks for old files.
_BETWEEN_LOOKS = 60.0
_PREFIX = "wbc-page-"


class Workspace:
    """A folder of this user alone; used as a context manager, at whose end it is removed.

    Within, a thread removes each file an hour after it was last written, and the folders that
    killed servers left behind. Gradio serves the files of the folder to those who know their names;
    therefore each result lies in a folder of its own with a random name of 128 bits.

    Attributes:
      folder: where Gradio keeps uploads, and we our results.

    Args:
      parent: where to make it; None takes the system's folder for temporary files.
    """

    def __init__(self, parent: Path | None = None) -> None:
        made = tempfile.mkdtemp(prefix=f"{_PREFIX}{owner()}-", dir=parent)
        self.folder = Path(os.path.realpath(made))
        self._permanent: set[Path] = set()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def keep_what_is_there(self) -> None:
        """Files that are there now, such as the examples, stay until the end."""
        self._permanent = {path for path in self.folder.rglob("*") if path.is_file()}

    @contextlib.contextmanager
    def result_folder(self) -> Iterator[Path]:
        """An empty folder for one result. Left by an error, it is removed with what is in it.

        Its name cannot be guessed.
        """
        folder = self.folder / os.urandom(16).hex()
        folder.mkdir(mode=0o700)
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def sweep(self, now: float | None = None) -> None:
        """Removes old files, and the folders that they leave empty.

        Args:
          now: seconds since the epoch; None takes the clock.
        """
        oldest = (time.time() if now is None else now) - KEPT_FOR
        # Deepest first, so that a folder comes after what is in it.
        for path in sorted(self.folder.rglob("*"), reverse=True):
            # Gone meanwhile, or a folder that is not empty: both are no errors.
            with contextlib.suppress(OSError):
                if path not in self._permanent and path.stat().st_mtime < oldest:
                    path.rmdir() if path.is_dir() else path.unlink()

    def remove_leftovers(self) -> None:
        """Removes the folders that this user's killed servers left beside this one."""
        user = self.folder.stat().st_uid
        for path in self.folder.parent.glob(f"{_PREFIX}*"):
            # Gone meanwhile: another server has removed it.
            with contextlib.suppress(OSError):
                if path.lstat().st_uid == user and is_left_over(path):
                    shutil.rmtree(path)

    def _look(self) -> None:
        while not self._closed.wait(_BETWEEN_LOOKS):
            # Servers of other machines tell by its time that this one is alive.
            os.utime(self.folder)
            self.sweep()
            self.remove_leftovers()

    def __enter__(self) -> Workspace:
        self.remove_leftovers()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed.set()
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)
