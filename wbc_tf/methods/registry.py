"""The methods by name: a new one is a package beside these and one line here."""

from __future__ import annotations

from wbc_tf.methods import animegan_v2, cartoongan, white_box
from wbc_tf.training.spec import MethodSpec

METHODS: dict[str, MethodSpec] = {
    "animegan_v2": animegan_v2.SPEC,
    "cartoongan": cartoongan.SPEC,
    "white_box": white_box.SPEC,
}


def method_spec(name: str) -> MethodSpec:
    """A method by its name.

    Raises:
      ValueError: no such method.
    """
    if name not in METHODS:
        raise ValueError(f"no method '{name}'; there is {', '.join(sorted(METHODS))}")
    return METHODS[name]
