"""Loading weights by name, strictly: all of them, no others, or an error that lists the difference.

A restore that goes on after a mismatch would train or ship a network that is random in part, and
nobody would be told. All weights are therefore loaded by the functions here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf


class WeightsError(ValueError):
    """Weights that do not fit the network; the message lists every name that is wrong."""


def named_variables(model: tf.keras.Model) -> dict[str, tf.Variable]:
    """The model's variables by their path inside it, such as ``block_0/conv1/kernel``."""
    prefix = f"{model.name}/"
    names = {}
    for variable in model.variables:
        path = variable.name.split(":")[0]
        names[path[len(prefix) :] if path.startswith(prefix) else path] = variable
    if len(names) != len(model.variables):
        raise ValueError(f"{model.name}: two variables share a name; give each layer its own")
    return names


def check_names_and_shapes(
    expected: Mapping[str, Any], found: Mapping[str, Any], *, source: str
) -> None:
    """Compares two sets of named arrays by name and shape.

    Args:
      expected: name -> anything with a ``shape``.
      found: the same, as read from `source`.
      source: what was read, for the message.

    Raises:
      WeightsError: anything is missing, left over or of another shape; all of it is listed.
    """
    problems = [f"missing: {name}" for name in sorted(expected.keys() - found.keys())]
    problems += [f"not expected: {name}" for name in sorted(found.keys() - expected.keys())]
    for name in sorted(expected.keys() & found.keys()):
        wanted, got = tuple(expected[name].shape), tuple(found[name].shape)
        if wanted != got:
            problems.append(f"wrong shape: {name} is {list(got)}, expected {list(wanted)}")
    if problems:
        listing = "\n  ".join(problems)
        raise WeightsError(f"{source} does not hold the weights of this network:\n  {listing}")


def assign_strictly(
    variables: Mapping[str, tf.Variable], values: Mapping[str, Any], *, source: str
) -> None:
    """Gives every variable its value by name, or raises `WeightsError` and changes none."""
    check_names_and_shapes(variables, values, source=source)
    for name, variable in variables.items():
        variable.assign(values[name])


def bgr_to_rgb(values: dict[str, np.ndarray], *, first: str, last: Iterable[str]) -> None:
    """Turns the weights of a network for BGR pictures into those of one for RGB, in place.

    Args:
      values: arrays by name.
      first: kernel of the first convolution, [height, width, in, out]; its inputs are colours.
      last: kernel, and bias if there is one, of the last convolution; the outputs are colours.
    """
    values[first] = values[first][:, :, ::-1]
    for name in last:
        values[name] = values[name][..., ::-1]
