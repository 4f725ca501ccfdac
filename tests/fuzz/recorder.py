from __future__ import annotations

from wbc_tf.inference.progress import Silence
from wbc_tf.inference.report import Entry


class Recorder(Silence):
    """A listener that keeps what it is told.

    Attributes:
      entries: of the jobs so far.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def done(self, entry: Entry) -> None:
        """See `wbc_tf.inference.progress.Listener`."""
        self.entries.append(entry)
