"""The authors' published generators, name by name, as this project's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from wbc_tf.artefact.weights import (
    WeightsError,
    assign_strictly,
    check_names_and_shapes,
    named_variables,
)
from wbc_tf.methods.cartoongan.generator import Generator, build_generator

#: Published name of a convolution, and of the instance norm after it -> name of ours.
_LAYERS = {
    "conv01_1": "stem/conv",
    "in01_1": "stem/norm",
    "conv02_1": "down_half",
    "conv02_2": "conv_half/conv",
    "in02_1": "conv_half/norm",
    "conv03_1": "down_quarter",
    "conv03_2": "conv_quarter/conv",
    "in03_1": "conv_quarter/norm",
    **{
        f"{kind}{block + 4:02}_{place}": f"block_{block}/{ours}/{part}"
        for block in range(8)
        for place, ours in ((1, "first"), (2, "second"))
        for kind, part in (("conv", "conv"), ("in", "norm"))
    },
    "deconv01_1": "up_half",
    "deconv01_2": "merge_half/conv",
    "in12_1": "merge_half/norm",
    "deconv02_1": "up_full",
    "deconv02_2": "merge_full/conv",
    "in13_1": "merge_full/norm",
    "deconv03_1": "to_rgb",
}

#: Published name of an array -> name of our variable.
NAMES = {
    f"{published}.{part_published}": f"{ours}/{part}"
    for published, ours in _LAYERS.items()
    for part_published, part in (
        (("scale", "gamma"), ("shift", "beta"))
        if published.startswith("in")
        else (("weight", "kernel"),)
    )
}

# The authors trained on BGR. These two kernels are where colour enters and leaves.
_FIRST_KERNEL, _LAST_KERNEL = "stem/conv/kernel", "to_rgb/kernel"
# The output channels of these are the second axis, not the first.
_TRANSPOSED_KERNELS = ("up_half/kernel", "up_full/kernel")

#: The published biases stay below 3e-7, since the training sets them to zero before each step.
#: Without them no value of a published picture moves by more than one grey level.
_LARGEST_BIAS = 1e-5


def generator_from_arrays(values: Mapping[str, np.ndarray], *, source: str) -> Generator:
    """Our generator with published weights, turned from BGR to RGB.

    Args:
      values: published name -> array, convolution kernels as (out, in, height, width) and
        transposed ones as (in, out, height, width).
      source: what was read, for messages.

    Raises:
      WeightsError: an array that is missing, left over or misshapen, by its published name; or a
        bias that is not zero.
    """
    generator = build_generator()
    variables = named_variables(generator)
    expected = _published_specs(variables)
    check_names_and_shapes(expected, values, source=source)
    for name in (name for name in expected if name.endswith(".bias")):
        largest = float(np.abs(values[name]).max())
        if not largest <= _LARGEST_BIAS:
            raise WeightsError(
                f"{source}: {name} goes up to {largest:.2g}. The authors' training holds all "
                "biases at zero, and this network has none."
            )
    ours = {
        name: values[published].transpose(2, 3, 1, 0)
        if values[published].ndim == 4
        else values[published]
        for published, name in NAMES.items()
    }
    ours[_FIRST_KERNEL] = ours[_FIRST_KERNEL][:, :, ::-1]
    ours[_LAST_KERNEL] = ours[_LAST_KERNEL][..., ::-1]
    assign_strictly(variables, ours, source=source)
    return generator


def _published_specs(variables: Mapping[str, tf.Variable]) -> dict[str, tf.TensorSpec]:
    """What the published file must hold, biases included."""
    specs = {}
    for published, name in NAMES.items():
        shape = tuple(variables[name].shape)
        if published.endswith(".weight"):
            shape = (shape[3], shape[2], shape[0], shape[1])
            outputs = shape[1] if name in _TRANSPOSED_KERNELS else shape[0]
            specs[published.replace(".weight", ".bias")] = tf.TensorSpec([outputs])
        specs[published] = tf.TensorSpec(shape)
    return specs
