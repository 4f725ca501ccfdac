"""Works for tests, which workers can import."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wbc_tf.distributed.work import Outcome, Tools
from wbc_tf.inference.report import Entry


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
