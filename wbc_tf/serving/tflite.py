"""The model for phones: TensorFlow Lite, checked against the network by its interpreter."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from wbc_tf.artefact.model_directory import write_version
from wbc_tf.images import to_float, to_uint8
from wbc_tf.serving.parity import ParityError
from wbc_tf.serving.sample_photo import sample_photo

#: photo, float32 [1, H, W, 3] in [-1, 1] -> scale and offset, under the settings of the export.
PhotoCoefficients = Callable[[tf.Tensor], "tuple[tf.Tensor, tf.Tensor]"]

#: What is stored: every weight in float32; in float16; in int8 with one scale per channel
#: (dynamic range: activations are quantized as they come, so no sample photos are needed).
VARIANTS = ("float32", "float16", "int8")
#: Largest mean difference from the network, in grey levels, that is let through.
MEAN_TOLERANCE = {"float32": 0.01, "float16": 0.5, "int8": 8.0}

# Sides that are no multiples of four, so that the padding is tried as well.
_FREE_SIZES = ((254, 318), (97, 131))


@dataclass(frozen=True)
class LiteModel:
    """One converted model and how it compares with the SavedModel.

    Attributes:
      variant: of `VARIANTS`.
      size: of its file, in bytes.
      max_difference: in grey levels.
      mean_difference: in grey levels.
    """

    variant: str
    size: int
    max_difference: int
    mean_difference: float


def export_tflite(
    directory: Path,
    coefficients: PhotoCoefficients,
    *,
    size: tuple[int, int] | None,
    metadata: Mapping[str, Any],
) -> tuple[Path, list[LiteModel]]:
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
      The new folder, and a row for each variant.

    Raises:
      ParityError: a variant is too far off; nothing was written.
    """

    @tf.function(reduce_retracing=True)
    def predict(photo: tf.Tensor) -> tf.Tensor:
        scale, offset = coefficients(photo)
        return scale * photo + offset

    sizes = [size] if size else _FREE_SIZES
    rows = []

    def write(folder: Path) -> None:
        for variant in VARIANTS:
            content = convert(coefficients, variant=variant, size=size)
            rows.append(_compare(content, predict, variant=variant, sizes=sizes))
            (folder / f"{variant}.tflite").write_bytes(content)
        lite = {"size": size, "variants": [asdict(row) for row in rows]}
        described = {**metadata, "tflite": lite}
        (folder / "model.json").write_text(json.dumps(described, indent=2) + "\n", "utf-8")

    return write_version(directory, write), rows


def convert(
    coefficients: PhotoCoefficients, *, variant: str, size: tuple[int, int] | None
) -> bytes:
    """One TensorFlow Lite model; see `export_tflite`."""
    height, width = size or (None, None)

    @tf.function(input_signature=[tf.TensorSpec([1, height, width, 3], tf.float32, name="photo")])
    def predict(photo: tf.Tensor) -> dict[str, tf.Tensor]:
        scale, offset = coefficients(photo)
        return {"cartoon": scale * photo + offset}

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


def _compare(
    content: bytes,
    predict: Callable[[tf.Tensor], tf.Tensor],
    *,
    variant: str,
    sizes: Sequence[tuple[int, int]],
) -> LiteModel:
    differences = []
    for size in sizes:
        photo = to_float(sample_photo(*size)[None])
        drawn = run_tflite(content, photo)
        if not np.isfinite(drawn).all():
            raise ParityError(f"{variant}: gives NaN or infinity. Nothing was written.")
        expected = to_uint8(predict(tf.constant(photo)).numpy())
        differences.append(np.abs(to_uint8(drawn).astype(np.int16) - expected).ravel())
    levels = np.concatenate(differences)
    if levels.mean() > MEAN_TOLERANCE[variant]:
        raise ParityError(
            f"{variant}: differs from the network by {levels.mean():.2f} grey levels on "
            f"average, above {MEAN_TOLERANCE[variant]}. Nothing was written."
        )
    return LiteModel(variant, len(content), int(levels.max()), float(levels.mean()))


def table(rows: Sequence[LiteModel]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| variant | size, KiB | largest difference, grey levels | mean difference |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {r.variant} | {r.size / 1024:.0f} | {r.max_difference} | {r.mean_difference:.3f} |"
        for r in rows
    ]
    return "\n".join(lines)
