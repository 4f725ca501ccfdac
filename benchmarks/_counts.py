"""How much arithmetic a network takes, and how much the machine can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def multiply_accumulates(function: Callable[..., Any], *shapes: tuple[int, ...]) -> float:
    """What one call takes, counted by TensorFlow's profiler in the graph without its variables.

    Args:
      function: of float32 tensors.
      *shapes: of these.
    """
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder.float_operation()
    concrete = tf.function(function).get_concrete_function(*[tf.TensorSpec(s) for s in shapes])
    graph = convert_variables_to_constants_v2(concrete).graph
    found = profiler.profile(graph, options={**options, "output": "none"})
    return float(found.total_float_ops) / 2


def matrix_product(side: int = 2048) -> Callable[[], float]:
    """A task of `matrix_flops`: the product of two square float32 matrices."""
    left, right = (tf.random.stateless_normal([side, side], [0, seed]) for seed in (0, 1))

    def multiply() -> float:
        return float(tf.matmul(left, right)[0, 0])

    return multiply


def matrix_flops(side: int = 2048) -> float:
    """Floating-point operations of a `matrix_product`."""
    return 2.0 * side**3
