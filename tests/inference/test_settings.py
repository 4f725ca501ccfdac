from __future__ import annotations

from wbc_tf.inference.settings import DrawSettings


def test_what_is_left_open_is_left_to_the_model() -> None:
    assert DrawSettings().arguments() == {"output_size": "input", "strength": 1.0}
    assert DrawSettings(short_side=0, output_size="working").arguments() == {
        "short_side": 0,
        "output_size": "working",
        "strength": 1.0,
    }
