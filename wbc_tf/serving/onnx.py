"""The model for everything that runs ONNX, checked against the network by ONNX Runtime.

A file holds all that inference needs: ``photo`` in, ``cartoon`` out, and ``scale`` and ``offset``
for results at another size; ``strength`` and ``delta`` are inputs with defaults. What
``model.json`` says is in the file's own metadata.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from wbc_tf.inference.engines import ONNX_METADATA
from wbc_tf.serving.signatures import Coefficients
from wbc_tf.serving.variants import Tolerance, VariantFile, export_variants

#: ONNX operator set: the newest that tf2onnx writes and onnx 1.16 knows in full.
OPSET = 17
#: Files of an export. In the second one the convolutions and their weights are in float16; filters
#: and norms stay in float32.
VARIANTS = {"float32": Tolerance(largest=1), "float16": Tolerance(largest=2)}

# Sides that are no multiples of four. No single pixel: where a network divides by a picture's own
# deviation, that of one pixel is rounding, and no two programs round alike.
_FREE_SIZES = ((254, 318), (97, 131), (5, 7))
_HALF = ("Conv", "ConvTranspose")


def export_onnx(
    directory: Path,
    coefficients: Coefficients,
    *,
    size: tuple[int, int] | None,
    metadata: Mapping[str, Any],
) -> tuple[Path, list[VariantFile]]:
    """Writes the next version of a folder with all `VARIANTS`, complete or not at all.

    Args:
      directory: ``NAME-onnx``.
      coefficients: the network.
      size: height and width of every picture; None leaves them, and the number of pictures, free.
      metadata: kept in each file; see `wbc_tf.inference.engines.load_engine`.

    Returns:
      The new folder, and what was found for each variant.

    Raises:
      ParityError: a variant is too far off; nothing was written.
      ImportError: the extra ``[onnx]`` is missing.
    """
    delta = metadata["delta"]
    network = _network(coefficients, size)
    model = _converted(network, delta)

    def convert(variant: str) -> bytes:
        stated = {**metadata, "precision": variant, "size": size, "use": _USE}
        return _finished(model, variant, stated)

    def cartoon(photo: np.ndarray) -> np.ndarray:
        inputs = (tf.constant(each, tf.float32) for each in (photo, 1.0, delta))
        return network(*inputs)["cartoon"].numpy()

    return export_variants(
        directory,
        VARIANTS,
        ending=".onnx",
        convert=convert,
        run=run_onnx,
        network=cartoon,
        sizes=[size] if size else _FREE_SIZES,
    )


#: How to use a file without this package; kept in its metadata.
_USE = (
    "photo: float32 [N, H, W, 3] RGB, levels / 127.5 - 1, short side reduced to short_side. "
    "cartoon: the same form; round((cartoon + 1) * 127.5), clipped to 0..255. For a larger photo, "
    "enlarge scale and offset bilinearly and take scale * photo + offset."
)


def _network(coefficients: Coefficients, size: tuple[int, int] | None) -> Any:
    height, width = size or (None, None)
    number = 1 if size else None
    signature = [
        tf.TensorSpec([number, height, width, 3], tf.float32, name="photo"),
        tf.TensorSpec([], tf.float32, name="strength"),
        tf.TensorSpec([], tf.float32, name="delta"),
    ]

    @tf.function(input_signature=signature)
    def predict(photo: tf.Tensor, strength: tf.Tensor, delta: tf.Tensor) -> dict[str, tf.Tensor]:
        scale, offset = coefficients(photo, strength, delta)
        return {"cartoon": scale * photo + offset, "scale": scale, "offset": offset}

    return predict


def _converted(network: Any, delta: float) -> Any:
    """The network as an ONNX model in float32, its settings with their defaults."""
    import onnx
    import tf2onnx

    with _quiet("tf2onnx"):
        model, _ = tf2onnx.convert.from_function(
            network, input_signature=network.input_signature, opset=OPSET
        )
    used = {name for node in model.graph.node for name in node.input}
    for name, value in (("strength", 1.0), ("delta", delta)):
        if name not in used:  # ONNX Runtime would drop its default and ask for it
            (unused,) = [each for each in model.graph.input if each.name == name]
            model.graph.input.remove(unused)
            continue
        # An input that is also an initializer has that value by default.
        default = onnx.numpy_helper.from_array(np.array(value, np.float32), name)
        model.graph.initializer.append(default)
    return model


def _finished(model: Any, variant: str, metadata: Mapping[str, Any]) -> bytes:
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if variant == "float16":
        _halve_convolutions(copy.graph)
    onnx.helper.set_model_props(copy, {ONNX_METADATA: json.dumps(dict(metadata))})
    onnx.checker.check_model(copy)
    return bytes(copy.SerializeToString())


def _halve_convolutions(graph: Any) -> None:
    """Convolutions in float16 with their weights, and a cast before and after each.

    ONNX Runtime's own converter also takes the photo through float16 on its way to the guided
    filter, whose differences then lose their last bits.
    """
    import onnx

    half, full = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    weights = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    halved: dict[str, Any] = {}
    nodes = []
    for node in graph.node:
        if node.op_type not in _HALF:
            nodes.append(node)
            continue
        for position, name in enumerate(node.input):
            node.input[position] = f"{name}/half"
            if name in weights:
                value = weights[name].astype(np.float16)
                halved[name] = onnx.numpy_helper.from_array(value, f"{name}/half")
            elif f"{name}/half" not in {output for each in nodes for output in each.output}:
                nodes.append(onnx.helper.make_node("Cast", [name], [f"{name}/half"], to=half))
        output = node.output[0]
        node.output[0] = f"{output}/result"
        nodes += [node, onnx.helper.make_node("Cast", [f"{output}/result"], [output], to=full)]
    used = {name for node in nodes for name in node.input}
    kept = [each for each in graph.initializer if each.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *halved.values()])


def run_onnx(content: bytes, photo: np.ndarray) -> np.ndarray:
    """Runs a file on a photo, float32 [1, H, W, 3] in [-1, 1], and returns the cartoon."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    (cartoon,) = session.run(["cartoon"], {"photo": photo})
    return np.asarray(cartoon)


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
