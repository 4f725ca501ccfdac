from __future__ import annotations

import pytest

from wbc_tf.inference import cartoonizer
from wbc_tf.serving import settings
from wbc_tf.serving.settings import ServingSettings


def test_the_defaults_are_the_command_lines() -> None:
    defaults = ServingSettings()
    assert defaults.short_side == 720
    assert defaults.output_size == "input"
    assert settings.OUTPUT_SIZES == cartoonizer.OUTPUT_SIZES


@pytest.mark.parametrize(
    "wrong",
    [
        {"short_side": -1},
        {"output_size": "half"},
        {"encoding": "webp"},
        {"quality": 0},
        {"quality": 101},
    ],
)
def test_what_makes_no_sense_is_refused_by_name_and_value(wrong: dict) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=rf"{name}.*{value}"):
        ServingSettings(**wrong)
