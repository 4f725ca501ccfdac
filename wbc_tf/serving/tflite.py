"""The model for phones: TensorFlow Lite, checked against the network by its interpreter."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from wbc_tf.serving.signatures import Coefficients
from wbc_tf.serving.variants import Tolerance, VariantFile, export_variants

#: What is stored: every weight in float32; in float16; in int8 with one scale per channel
#: (dynamic range: activations are quantized at run time, so no sample photos are needed).
VARIANTS = {
    "float32": Tolerance(mean=0.01),
    "float16": Tolerance(mean=0.5),
    "int8": Tolerance(mean=8.0),
}

# Sides that are no multiples of four, so that the padding is tested as well.
_FREE_SIZES = ((254, 318), (97, 131))


def export_tflite(
    directory: Path,
    coefficients: Coefficients,
    *,
    size: tuple[int, int] | None,
    metadata: Mapping[str, Any],
) -> tuple[Path, list[VariantFile]]:
    """Writes the next version of a folder with all `VARIANTS`, complete or not at all.

    Each takes ``photo``, float32 [1, H, W, 3] RGB in [-1, 1], and gives ``cartoon``, the same: the
    `predict_float` of a SavedModel.

    Args:
      directory: ``NAME-tflite``; not a folder that a model server watches, for it would take these
        for models of its own and fail.
      coefficients: the network.
      size: height and width of every picture; None leaves them free.
      metadata: for ``model.json``.

    Returns:
      The new folder, and what was found for each variant.

    Raises:
      ParityError: a variant is too far off; nothing was written.
    """

    def cartoon(photo: tf.Tensor) -> tf.Tensor:
        scale, offset = coefficients(photo, 1.0, metadata["delta"])
        return scale * photo + offset

    predict = tf.function(cartoon, reduce_retracing=True)

    def complete(folder: Path, files: Sequence[VariantFile]) -> None:
        lite = {"size": size, "variants": [asdict(file) for file in files]}
        described = {**metadata, "tflite": lite}
        (folder / "model.json").write_text(json.dumps(described, indent=2) + "\n", "utf-8")

    return export_variants(
        directory,
        VARIANTS,
        ending=".tflite",
        convert=lambda variant: convert(cartoon, variant=variant, size=size),
        run=run_tflite,
        network=lambda photo: predict(tf.constant(photo)).numpy(),
        sizes=[size] if size else _FREE_SIZES,
        complete=complete,
    )


def convert(
    cartoon: Callable[[tf.Tensor], tf.Tensor], *, variant: str, size: tuple[int, int] | None
) -> bytes:
    """One TensorFlow Lite model of a function from photo to cartoon; see `export_tflite`."""
    height, width = size or (None, None)

    @tf.function(input_signature=[tf.TensorSpec([1, height, width, 3], tf.float32, name="photo")])
    def predict(photo: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"cartoon": cartoon(photo)}

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [predict.get_concrete_function()], predict
    )
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def run_tflite(content: bytes, photo: np.ndarray) -> np.ndarray:
    """Runs a model on a photo, float32 [1, H, W, 3] in [-1, 1], and returns the cartoon."""
    interpreter = tf.lite.Interpreter(model_content=content)
    (details,) = interpreter.get_input_details()
    if list(details["shape"]) != list(photo.shape):
        interpreter.resize_tensor_input(details["index"], photo.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(details["index"], photo)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
