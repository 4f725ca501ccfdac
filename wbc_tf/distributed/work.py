"""What is given to a worker, and what the driver does with the answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from wbc_tf.inference.report import Entry
from wbc_tf.inference.settings import VideoSettings

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer

#: The note of a file that a lost worker had written before it could say so.
LOST = "a worker that was lost had written it already"

# Of one `Work` of photos.
_SECONDS, _MOST = 2.0, 32


@dataclass(frozen=True)
class Tools:
    """What a worker works with.

    Attributes:
      cartoonizer: the model.
      drawing: is held by the thread that draws, while others read and write.
      video: how videos are made. Its `draw` and `max_pixels` hold for photos too.
      quality: of JPEG and WebP, 1 to 100.
      overwrite: make files again that are already there; else they are skipped.
      scratch: a folder of this machine for copies of films.
    """

    cartoonizer: Cartoonizer
    drawing: threading.Lock
    video: VideoSettings
    quality: int
    overwrite: bool
    scratch: Path


@dataclass(frozen=True)
class Outcome:
    """What an answer means.

    Attributes:
      entries: files whose fate is known.
      works: what can be done now.
      finished_film: name of a film that no worker needs any more.
      progress: a film's name, its frames that are done, and all of them.
      stop: why the whole run ends: each further file would fail too.
    """

    entries: Sequence[Entry] = ()
    works: Sequence[Work] = ()
    finished_film: str | None = None
    progress: tuple[str, int, int | None] | None = None
    stop: str | None = None


class Work(Protocol):
    """Something for one worker. It is sent there by pickle."""

    @property
    def alone(self) -> bool:
        """Whether a worker does nothing else meanwhile."""

    @property
    def needed(self) -> bool:
        """False where it has become useless before it began."""

    def do(self, tools: Tools) -> Any:
        """In the worker. What users can mend is in the answer; it raises nothing else but bugs."""

    def then(self, answer: Any) -> Outcome:
        """In the driver, with the answer of `do`."""

    def again(self) -> Sequence[Work]:
        """In the driver, when the worker was lost meanwhile: what to do in its place."""

    def given_up(self, reason: str) -> Outcome:
        """In the driver, when too many workers were lost with it."""


@dataclass
class Pace:
    """How many photos go into one `Work`, so that it takes about two seconds.

    Large works cost the driver less; small ones spread better and lose less when a worker dies.
    """

    photos: int = 1
    _mean: float | None = None

    def took(self, entry: Entry) -> None:
        """Learns from a photo that is done."""
        if entry.status == "written" and entry.seconds:
            mean = entry.seconds if self._mean is None else self._mean
            self._mean = 0.9 * mean + 0.1 * entry.seconds
        if self._mean is not None:
            self.photos = max(1, min(_MOST, round(_SECONDS / self._mean)))
        else:
            self.photos = min(_MOST, 2 * self.photos)  # skipped ones take no time
