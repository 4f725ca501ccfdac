"""The authors' published generators (Hayao, Hosoda, Paprika, Shinkai), in BGR.

No licence of these weights is known: their owners keep all rights, and the weights are never part
of this project.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from wbc_tf.artefact.weights import (
    WeightsError,
    assign_strictly,
    bgr_to_rgb,
    check_names_and_shapes,
    named_variables,
)
from wbc_tf.methods.cartoongan.generator import Generator, build_generator
from wbc_tf.training.spec import ConversionError, Converter

LICENCE = (
    "not known: the authors published these weights without one. Keep them to yourself, and do "
    "not pass on the model."
)

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

#: SHA-256 of published weights (see `fingerprint`) -> their style, and what they make of `_PROBE`:
#: the mean of each channel, RGB, of a network that meets all figures of the published one.
_KNOWN = {
    "739d8f9c2710eb9fe54117cdd785def4b50d0a87afc52fb381915e57f0e3b28f": (
        "Hayao",
        (0.113, -0.196, -0.531),
    ),
}

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
    bgr_to_rgb(ours, first=_FIRST_KERNEL, last=[_LAST_KERNEL])
    assign_strictly(variables, ours, source=source)
    return generator


def generator_from_file(path: str) -> Generator:
    """Our generator with the weights of a published file.

    Args:
      path: ``.npz`` with the published names, or ``.pth``, for which PyTorch must be installed.

    Raises:
      ConversionError: a file that cannot be read, or whose picture is not what it must be.
      WeightsError: see `generator_from_arrays`.
    """
    values = read_arrays(path)
    generator = generator_from_arrays(values, source=path)
    _check_picture(generator, values, source=path)
    return generator


def read_arrays(path: str) -> dict[str, np.ndarray]:
    """The arrays of a published file by name.

    Raises:
      ConversionError: no such file, another format, or a ``.pth`` file without PyTorch.
    """
    if not Path(path).is_file():
        raise ConversionError(f"{path}: there is no such file")
    if Path(path).suffix == ".npz":
        try:
            with np.load(path, allow_pickle=False) as file:
                return dict(file)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ConversionError(f"{path}: no readable .npz file ({error})") from error
    if Path(path).suffix not in (".pth", ".pt"):
        raise ConversionError(f"{path}: a published file ends in .pth, or .npz once converted")
    try:
        import torch
    except ImportError as error:
        raise ConversionError(
            f"{path}: PyTorch reads these files, and it is not installed here. Where it is, run\n"
            "  import numpy, torch\n"
            f'  numpy.savez("weights.npz", **{{k: v.numpy() for k, v in torch.load("{path}", '
            'map_location="cpu").items()})\n'
            "and give weights.npz as --checkpoint."
        ) from error
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
        return {name: tensor.numpy() for name, tensor in tensors.items()}
    except Exception as error:  # PyTorch raises no narrower kind for a file that is none of its own
        raise ConversionError(f"{path}: PyTorch cannot read it ({error})") from error


def fingerprint(values: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names and values, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(values):
        digest.update(name.encode() + values[name].astype("<f4").tobytes())
    return digest.hexdigest()


def _check_picture(generator: Generator, values: Mapping[str, np.ndarray], *, source: str) -> None:
    """Compares what the generator draws with what these weights are known to draw.

    Of weights that are not known, the picture must at least be one.
    """
    ramp = np.linspace(-1, 1, 64, dtype=np.float32)
    probe = np.stack([*np.meshgrid(ramp, ramp), np.full([64, 64], 0.25, np.float32)], axis=-1)
    output = generator(probe[None]).numpy()[0]
    if not np.isfinite(output).all() or output.std() < 0.01:
        raise ConversionError(f"{source}: with these weights the network draws no picture")
    style, expected = _KNOWN.get(fingerprint(values), ("", None))
    if expected is not None and np.abs(output.mean((0, 1)) - expected).max() > 1e-3:
        raise ConversionError(
            f"{source}: these are the published weights of {style}, but the network draws another "
            "picture with them than it should. Please report this."
        )


def _metadata(path: str) -> dict[str, Any]:
    style, _ = _KNOWN.get(fingerprint(read_arrays(path)), ("", None))
    known = f", the published weights of the style {style}" if style else ""
    return {"origin": f"{Path(path).name}{known}"}


CONVERTER = Converter(
    licence=LICENCE,
    expects="a published .pth file, or .npz with the same names",
    load=generator_from_file,
    metadata=_metadata,
)


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
