"""Works for tests, which workers can import, and the tools of a worker without a model."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wbc_tf.distributed.work import Outcome, Tools
from wbc_tf.inference.report import Entry
from wbc_tf.inference.settings import VideoSettings


def invert(rgb: np.ndarray, **_: object) -> np.ndarray:
    """Stands in for a model."""
    return 255 - rgb


def tools_for(
    folder: Path,
    video: VideoSettings,
    model: Callable[..., np.ndarray] = invert,
    *,
    overwrite: bool = False,
) -> Tools:
    """What a worker has; its scratch folder is inside `folder`."""
    return Tools(
        cartoonizer=model,
        drawing=threading.Lock(),
        video=video,
        quality=90,
        overwrite=overwrite,
        scratch=folder / "scratch",
    )


@dataclass(frozen=True)
class DiesOnce:
    """Kills its worker as ``kill -9`` does, but only where `mark` is not there yet."""

    mark: str

    alone = False
    needed = True

    def do(self, tools: Tools) -> str:
        if not Path(self.mark).exists():
            Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.mark

    def then(self, answer: Any) -> Outcome:
        return Outcome(entries=[Entry(str(answer), "", "written")])

    def again(self) -> Sequence[DiesOnce]:
        return [self]

    def given_up(self, reason: str) -> Outcome:
        return Outcome(entries=[Entry(self.mark, "", "failed", error=reason)])
