"""What became of each picture, for other programs: one line of JSON each."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from wbc_tf.files import PathLike
from wbc_tf.inference.jobs import OutputError


@dataclass(frozen=True)
class Entry:
    """What became of one picture.

    Attributes:
      source: the file that was read.
      target: the file that was, or would have been, written.
      status: "written", "skipped" (it was there already), "failed" or "ignored" (its ending is none
        that we read; it has no target).
      width: of the photo, in pixels; None where it was not read, and so for the next two.
      height: the same.
      frames: how many; 1 for a still picture.
      seconds: reading, its share of the network's time, and writing.
      notes: what could not be kept, each a phrase for people.
      error: why it failed.
    """

    source: str
    target: str
    status: str
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    error: str | None = None


def ignored_entry(source: PathLike) -> Entry:
    """The entry of a file that is left out because of its ending."""
    note = "ignored, because its ending is none that is read"
    return Entry(str(source), "", "ignored", notes=(note,))


class Report:
    """A JSON Lines file that can be read while it grows; each run starts a new one.

    Names that are no valid Unicode are escaped as JSON escapes them.
    """

    def __init__(self, path: PathLike) -> None:
        self._path = Path(path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Closed by leaving the report, which is a context manager itself.
        self._stream = self._path.open("w", encoding="ascii")

    def add(self, entry: Entry) -> None:
        """Appends a line.

        Raises:
          OutputError: the disk is full.
        """
        document = asdict(entry)
        document["seconds"] = round(entry.seconds, 4)
        try:
            self._stream.write(json.dumps(document) + "\n")
            self._stream.flush()
        except OSError as error:
            raise OutputError(self._path, error) from error

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # What could not be written before cannot be written now either.
        with contextlib.suppress(OSError):
            self._stream.close()
