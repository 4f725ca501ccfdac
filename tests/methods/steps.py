"""Single steps of a method, and what they move."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from wbc_tf.training.method import Method

Figures = dict[str, float]


def eager_step(method: Method, *, step: int, phase: str) -> dict[str, tf.Tensor]:
    """One step without a graph."""
    (batch,) = method.batches(start_step=step).take(1)
    (found,) = (each for each in method.phases() if each.name == phase)
    return found.train_step(batch, tf.constant(step, tf.int64))


def weights(method: Method) -> dict[str, list[np.ndarray]]:
    """Copies of all that a checkpoint would hold, by network or optimizer."""
    copies = {}
    for name, part in method.state().items():
        variables = part.variables() if callable(part.variables) else part.variables
        copies[name] = [variable.numpy() for variable in variables]
    return copies


def moved(before: dict[str, list[np.ndarray]], after: dict[str, list[np.ndarray]]) -> set[str]:
    """Names of the networks and optimizers of which any value is another."""
    return {
        name
        for name in before
        if any(np.any(old != new) for old, new in zip(before[name], after[name]))
    }


#: Sums of very different sizes: rounding shows in them first.
GRADIENT_NORMS = ("gradient_norm/generator", "gradient_norm/discriminator")


def close(ours: Figures, theirs: Figures, *, rtol: float, but: tuple[str, ...] = ()) -> None:
    """Asserts that two steps came to the same figures."""
    assert ours.keys() == theirs.keys()
    for name in ours.keys() - set(but):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=rtol, atol=1e-9, err_msg=name)
