from __future__ import annotations

import pytest
from absl import flags

from wbc_tf.cli.picture_flags import define_picture_flags, draw_settings, max_pixels
from wbc_tf.inference.settings import DrawSettings


def _values(*arguments: str) -> flags.FlagValues:
    values = flags.FlagValues()
    define_picture_flags(values)
    values(["command", *arguments])
    return values


def test_what_is_not_given_is_the_models_own() -> None:
    assert draw_settings(_values()) == DrawSettings()


def test_what_is_given_reaches_the_settings() -> None:
    values = _values("--short_side=0", "--strength=1.5", "--delta=0", "--max_megapixels=0.5")
    assert draw_settings(values) == DrawSettings(short_side=0, strength=1.5, delta=0.0)
    assert draw_settings(_values("--match_brightness")).match_brightness is True
    assert draw_settings(_values("--nomatch_brightness")).match_brightness is False
    assert max_pixels(values) == 500_000


@pytest.mark.parametrize("argument", ["--strength=1.6", "--delta=-0.1", "--short_side=1.5"])
def test_what_is_out_of_range_is_refused_with_its_name(argument: str) -> None:
    with pytest.raises(flags.Error, match=argument[2:7]):
        _values(argument)
