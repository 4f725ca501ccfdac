"""The generator as an exported model: which functions it offers to inference and serving."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from wbc_tf.images import PathLike, crop_to, pad_to_multiple
from wbc_tf.layers.guided_filter import guided_filter_coefficients
from wbc_tf.methods.white_box.generator import SIZE_MULTIPLE, Generator, build_generator
from wbc_tf.model_directory import find_model, load_weights, read_metadata, save_model

METHOD = "white_box"

# As released for inference; in training the filter on the output is softer (eps 1e-2).
GUIDED_FILTER_RADIUS = 1
GUIDED_FILTER_EPS = 5e-3


def save(generator: Generator, directory: PathLike, *, metadata: Mapping[str, Any]) -> Path:
    """Writes a model directory with the signatures below; returns the new version's folder.

    coefficients: photo, float32 [N, H, W, 3] RGB in [-1, 1], any size -> scale and offset, the
      guided filter's local linear model, so that ``cartoon = scale * photo + offset``. Enlarged,
      they give the cartoon at any other size of the same photo (fast guided filter, He & Sun
      2015), which is how a large photo keeps its sharp edges.
    predict_float: the same photo -> cartoon, float32 [N, H, W, 3].

    Args:
      generator: built.
      directory: ``NAME``.
      metadata: for ``model.json``: the licence, and whatever tells where the weights come from.
    """
    photos = tf.TensorSpec([None, None, None, 3], tf.float32, name="photo")

    @tf.function(input_signature=[photos])
    def coefficients(photo: tf.Tensor) -> dict[str, tf.Tensor]:
        padded = pad_to_multiple(photo, SIZE_MULTIPLE)
        raw = crop_to(generator(padded), photo)
        scale, offset = guided_filter_coefficients(
            photo, raw, radius=GUIDED_FILTER_RADIUS, eps=GUIDED_FILTER_EPS
        )
        return {"scale": scale, "offset": offset}

    @tf.function(input_signature=[photos])
    def predict_float(photo: tf.Tensor) -> dict[str, tf.Tensor]:
        model = coefficients(photo)
        return {"cartoon": model["scale"] * photo + model["offset"]}

    return save_model(
        directory,
        model=generator,
        signatures={"coefficients": coefficients, "predict_float": predict_float},
        metadata={"method": METHOD, "generator": generator.get_config(), **metadata},
    )


def load_generator(name_or_path: PathLike) -> Generator:
    """The Keras generator of an exported model, for further training or study.

    Raises:
      ModelNotFoundError: no such model.
      ValueError: a model of another method.
      WeightsError: its variables are not this network's; all differences are listed.
    """
    version = find_model(name_or_path)
    metadata = read_metadata(version)
    if metadata["method"] != METHOD:
        raise ValueError(f"{version}: a model of method '{metadata['method']}', not '{METHOD}'")
    generator = build_generator(**metadata["generator"])
    load_weights(generator, version)
    return generator
