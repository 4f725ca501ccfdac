"""What runs an exported network: TensorFlow for a SavedModel, ONNX Runtime for an .onnx file.

Each engine is imported when it is used: with an .onnx file TensorFlow is never imported.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from wbc_tf.artefact.model_directory import (
    ModelNotFoundError,
    find_model,
    load_signatures,
    read_metadata,
)
from wbc_tf.files import PathLike

#: The key of ``model.json``'s content in an .onnx file's own metadata.
ONNX_METADATA = "wbc_tf"

#: (photo=, strength=, delta=) -> "scale" and "offset". The photo is float32 [N, H, W, 3] in
#: [-1, 1], and so are scale and offset; strength and delta are numbers.
Coefficients = Callable[..., "dict[str, np.ndarray]"]


class PrecisionError(ValueError):
    """A precision that this machine does not have; the message says which it has."""


class DeviceError(ValueError):
    """The device that was asked for is not there."""


class NetworkError(RuntimeError):
    """The network could not be run, mostly because memory ran out; the message is the engine's."""


# The process that has loaded a SavedModel, and so started TensorFlow's threads.
_tensorflow_process: int | None = None


def is_onnx(model: PathLike) -> bool:
    """Whether a model's path names an .onnx file."""
    return Path(model).suffix.lower() == ".onnx"


def load_engine(model: PathLike, *, precision: str) -> tuple[Coefficients, dict[str, Any]]:
    """A model's network as a function, and what the model says of itself.

    Args:
      model: an .onnx file, a model directory, or an embedded model's name.
      precision: see `Cartoonizer.load`. An .onnx file has the precision it was exported in.

    Raises:
      ModelNotFoundError: no such model, or an .onnx file that is not of this project.
      PrecisionError: a precision that this machine, or an .onnx file, does not have.
      NetworkError: this is a forked child of a process that has loaded a SavedModel. So it is when
        a network is run in a forked child of the process that loaded it.
    """
    if is_onnx(model):
        coefficients, metadata = _onnx_runtime(Path(model), precision)
    else:
        global _tensorflow_process
        _refuse_fork(_tensorflow_process)
        coefficients, metadata = _tensorflow(model, precision)
        _tensorflow_process = os.getpid()
    process = os.getpid()

    def run(**inputs: Any) -> dict[str, np.ndarray]:
        _refuse_fork(process)
        return coefficients(**inputs)

    return run, metadata


def _refuse_fork(process: int | None) -> None:
    """Raises where this process is a fork of that one: its call would wait for ever."""
    if process not in (None, os.getpid()):
        raise NetworkError(
            "this process was forked from one that has loaded a model, and a fork has none of the "
            "threads that run the network. Start processes by the method 'spawn', for example with "
            "multiprocessing.get_context('spawn')"
        )


def _tensorflow(model: PathLike, precision: str) -> tuple[Coefficients, dict[str, Any]]:
    version = find_model(model)
    metadata = read_metadata(version)

    import tensorflow as tf

    from wbc_tf.inference.precision import in_precision, resolve_precision

    precision = resolve_precision(precision)
    signature = in_precision(load_signatures(version)["coefficients"], precision)

    def run(**inputs: Any) -> dict[str, np.ndarray]:
        try:
            outputs = signature(**inputs)
        except tf.errors.OpError as error:
            raise NetworkError(str(error)) from error
        return {name: np.asarray(outputs[name]) for name in ("scale", "offset")}

    return run, metadata


def _onnx_runtime(path: Path, precision: str) -> tuple[Coefficients, dict[str, Any]]:
    if not path.is_file():
        raise ModelNotFoundError(f"{path}: there is no such file")
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelNotFoundError(
            f"{path}: .onnx files need ONNX Runtime: pip install 'wbc_tf[onnx]' ({error})"
        ) from error
    from onnxruntime.capi import onnxruntime_pybind11_state as states

    failures = tuple(
        getattr(states, name) for name in ("Fail", "InvalidArgument", "RuntimeException")
    )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=onnxruntime.get_available_providers()
        )
    except (*failures, states.InvalidProtobuf, states.InvalidGraph) as error:
        raise ModelNotFoundError(f"{path}: broken, or no ONNX file ({error})") from error
    stated = session.get_modelmeta().custom_metadata_map.get(ONNX_METADATA)
    if stated is None:
        raise ModelNotFoundError(f"{path}: an ONNX file, but not one of this project")
    metadata = json.loads(stated)
    if precision not in ("auto", metadata["precision"]):
        # The network's precision is part of the file.
        raise PrecisionError(
            f"{path} computes in {metadata['precision']}; --precision={precision} takes another "
            "file of the same export"
        )

    # A network without a filter knows no delta.
    known = {each.name for each in session.get_overridable_initializers()}

    def run(photo: np.ndarray, **settings: float) -> dict[str, np.ndarray]:
        inputs = {
            name: np.array(value, np.float32) for name, value in settings.items() if name in known
        }
        try:
            scale, offset = session.run(["scale", "offset"], {"photo": photo, **inputs})
        except failures as error:
            raise NetworkError(str(error)) from error
        return {"scale": scale, "offset": offset}

    return run, metadata
