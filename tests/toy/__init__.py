"""A method as small as can be: what a new one must say of itself, and all that it must say.

Its network normalises over the whole picture, its batches have three streams of which one is
derived, and nothing is filtered.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from wbc_tf.training.config import POSITIVE, TrainingConfig, option, with_default
from wbc_tf.training.spec import MethodSpec


@dataclasses.dataclass(frozen=True)
class ToyConfig(TrainingConfig):
    """A training run; see `TrainingConfig`."""

    learning_rate: float = with_default(TrainingConfig, "learning_rate", 1e-3)
    channels: int = option(4, POSITIVE, "Of both networks.")

    def generator_settings(self) -> dict[str, Any]:
        return {"channels": self.channels}

    @classmethod
    def presets(cls) -> dict[str, ToyConfig]:
        return {"toy": cls()}


def _build(config: ToyConfig) -> Any:
    from tests.toy.method import Toy

    return Toy(config)


def _exported() -> Any:
    from tests.toy.method import EXPORTED

    return EXPORTED


SPEC = MethodSpec(name="toy", title="Toy", config=ToyConfig, build=_build, exported=_exported)
