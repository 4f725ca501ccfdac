from __future__ import annotations

import pytest
from absl import flags

from wbc_tf.cli.command_line import new_flags
from wbc_tf.cli.run_flags import define_run_flags


def parsed(*arguments):
    values = new_flags()
    define_run_flags(values, methods=["one", "white_box"])
    values(["train.py", *arguments])
    return values


def test_what_is_not_given_is_safe():
    values = parsed()
    assert (values.resume, values.deterministic, values.device) == (True, False, "auto")
    assert values.workdir is None
    assert (values.method, values["method"].help) == (
        "white_box",
        "What is trained: one, white_box.",
    )


@pytest.mark.parametrize("name", ["checkpoint_every", "sample_every", "log_every"])
@pytest.mark.parametrize("value", ["0", "nan", "1.5"])
def test_a_number_of_steps_is_named_when_it_cannot_be(name, value):
    with pytest.raises(flags.Error, match=name):
        parsed(f"--{name}={value}")
