"""Which process makes which file, so that several that work through one folder share the work.

A claim is a small hidden file beside the file that is being made; it holds its owner's name. It
only saves double work: files are written whole, so two processes that make one do no harm.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path
from types import TracebackType

from wbc_tf.files.owners import is_left_over, owner

#: What is said of a file that is left to another process.
CLAIMED = "left to another process, which is making it now"

# Seconds after which the claim of a process on another machine has no effect. A photo takes less;
# whoever makes a video renews its claim.
_LASTS = 3600.0
_RENEWED_EVERY = 60.0


class Claims:
    """The files that this process is making; a context manager, which ends them all.

    The claim of a process that is dead has no effect, nor has one of another machine that is older
    than an hour. Where no claim can be written, such as in a folder that is read-only, the file
    counts as claimed: writing it says what is wrong.
    """

    def __init__(self) -> None:
        self._held: dict[Path, float] = {}
        self._made: list[Path] = []
        self._tidied: set[Path] = set()

    def take(self, target: Path) -> bool:
        """Claims a file that is to be made; False where another process has claimed it.

        The folder is made if it is not there.
        """
        claim = _claim_of(target)
        try:
            self._make_folder(target.parent)
            self._tidy(target.parent)
            _remove_if_dead(claim)
            self._held[target] = time.monotonic()
            with claim.open("x", encoding="ascii") as stream:
                stream.write(f"{owner()}-")
        except OSError as error:
            if isinstance(error, FileExistsError) and target in self._held:
                del self._held[target]
                return False
        return True

    def renew(self, target: Path) -> None:
        """Says that the file is still being made; to be called often while it takes long."""
        now = time.monotonic()
        if target in self._held and now - self._held[target] > _RENEWED_EVERY:
            self._held[target] = now
            with contextlib.suppress(OSError):
                os.utime(_claim_of(target))

    def release(self, target: Path) -> None:
        """Ends a claim: the file is there, or it will not be."""
        if self._held.pop(target, None) is not None:
            with contextlib.suppress(OSError):
                _claim_of(target).unlink()

    def _make_folder(self, folder: Path) -> None:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        self._made.extend(reversed(missing))

    def _tidy(self, folder: Path) -> None:
        """Removes what killed processes left behind; once in each folder."""
        if folder in self._tidied:
            return
        self._tidied.add(folder)
        for claim in folder.glob(".wbc-*.claim"):
            _remove_if_dead(claim)

    def __enter__(self) -> Claims:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for target in list(self._held):
            self.release(target)
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):  # there are files in it, as there should be
                folder.rmdir()


def _claim_of(target: Path) -> Path:
    # Short, so that it fits beside a name at the file system's limit.
    digest = hashlib.sha256(target.name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return target.with_name(f".wbc-{digest}.claim")


def _remove_if_dead(claim: Path) -> None:
    # It is not there, or not ours to touch.
    with contextlib.suppress(OSError):
        if is_left_over(claim, claim.read_text("ascii", "replace"), after=_LASTS):
            claim.unlink()
