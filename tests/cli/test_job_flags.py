from __future__ import annotations

import pytest
from absl import flags

from wbc_tf.cli.job_flags import define_job_flags


def test_inputs_repeat_and_the_format_is_one_that_we_write() -> None:
    values = flags.FlagValues()
    define_job_flags(values)
    values(["command", "--input=a.jpg", "--input=b", "--format=webp"])
    assert values.input == ["a.jpg", "b"]
    assert (values.format, values.recursive, values.overwrite) == ("webp", False, False)
    with pytest.raises(flags.Error, match="format"):
        values(["command", "--format=heic"])
