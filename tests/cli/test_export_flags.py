from __future__ import annotations

import pytest
from absl import flags

from wbc_tf.cli.command_line import UsageError
from wbc_tf.cli.export_flags import (
    check_export_flags,
    define_export_flags,
    fixed_size,
    serving_settings,
)
from wbc_tf.serving.settings import ServingSettings


def _values(*arguments: str) -> flags.FlagValues:
    values = flags.FlagValues()
    define_export_flags(values)
    values(["program", *arguments])
    return values


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--output=out"], "either --model or --workdir"),
        (["--output=out", "--model=a", "--workdir=b"], "either --model or --workdir"),
        (["--model=a"], "--output is missing"),
        (["--model=a", "--output=out", "--name=a/b"], "--name=a/b: letters"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check_export_flags(_values(*arguments))


def test_a_size_is_free_or_height_and_width() -> None:
    assert fixed_size(_values()) is None
    assert fixed_size(_values("--size=30x45")) == (30, 45)
    for size in ("30", "0x4", "30x45x3"):
        with pytest.raises(UsageError, match=f"not '{size}'"):
            fixed_size(_values(f"--size={size}"))


def test_the_models_own_working_resolution_unless_another_is_given() -> None:
    own = {"short_side": 512, "match_brightness": True}
    expected = ServingSettings(short_side=512, match_brightness=True)
    assert serving_settings(_values(), **own) == expected
    given = _values("--short_side=0", "--encoding=jpeg", "--quality=80", "--output_size=working")
    assert serving_settings(given, **own) == ServingSettings(0, "working", "jpeg", 80, True)
