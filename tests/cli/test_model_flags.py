from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from absl import flags

from wbc_tf.cli.command_line import UsageError
from wbc_tf.cli.model_flags import define_model_flags, load_cartoonizer


def _values(*arguments: str) -> flags.FlagValues:
    values = flags.FlagValues()
    define_model_flags(values)
    values(["command", *arguments])
    return values


def test_the_model_is_loaded(tiny_model: Path) -> None:
    photo = np.zeros((9, 11, 3), np.uint8)
    assert load_cartoonizer(_values(f"--model={tiny_model}"))(photo).shape == (9, 11, 3)


@pytest.mark.parametrize("arguments", [["--model=nowhere"], ["--memory_budget=1"]])
def test_what_cannot_be_loaded_is_a_usage_error(tiny_model: Path, arguments: list[str]) -> None:
    with pytest.raises(UsageError, match=r"nowhere|memory budget"):
        load_cartoonizer(_values(f"--model={tiny_model}", *arguments))
