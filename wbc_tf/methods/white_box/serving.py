"""The generator as an exported model: what this method brings to `wbc_tf.serving`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from wbc_tf.artefact.model_directory import find_model, load_weights, read_metadata, save_model
from wbc_tf.artefact.receptive_field import ReceptiveField, receptive_field
from wbc_tf.files import PathLike
from wbc_tf.images import crop_to, pad_to_multiple
from wbc_tf.layers.guided_filter import guided_filter_coefficients
from wbc_tf.methods.white_box.generator import SIZE_MULTIPLE, Generator, build_generator
from wbc_tf.serving.settings import DEFAULT_SETTINGS, ServingSettings
from wbc_tf.serving.signatures import build_signatures

METHOD = "white_box"

# As released for inference; in training the filter on the output is softer (eps 1e-2).
GUIDED_FILTER_RADIUS = 1
GUIDED_FILTER_EPS = 5e-3


def coefficients(generator: Generator, photo: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The cartoon as a local linear model of the photo: ``cartoon = scale * photo + offset``.

    It is what the guided filter computes anyway, and what brings the cartoon of a reduced photo
    back to full size with sharp edges.

    Args:
      generator: built.
      photo: float32 [N, H, W, 3] RGB in [-1, 1], any size.

    Returns:
      scale and offset, float32 [N, H, W, 3].
    """
    raw = crop_to(generator(pad_to_multiple(photo, SIZE_MULTIPLE)), photo)
    return guided_filter_coefficients(
        photo, raw, radius=GUIDED_FILTER_RADIUS, eps=GUIDED_FILTER_EPS
    )


def field(generator: Generator) -> ReceptiveField:
    """How far a pixel of `coefficients` sees, the guided filter's windows included."""

    def unpadded(photo: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return guided_filter_coefficients(
            photo, generator(photo), radius=GUIDED_FILTER_RADIUS, eps=GUIDED_FILTER_EPS
        )

    return receptive_field(unpadded)


def bytes_per_pixel(generator: Generator) -> int:
    """Memory that `coefficients` takes at its peak on a CPU, for each pixel of the photo.

    Measured, as the growth of the process's largest resident size: 162, 283, 550 and 995 bytes at
    4, 16, 32 and 64 channels with four blocks, and 554 at 32 in bfloat16. The line lies above them.
    """
    return 120 + 14 * int(generator.get_config()["channels"])


def save(
    generator: Generator,
    directory: PathLike,
    *,
    metadata: Mapping[str, Any],
    settings: ServingSettings = DEFAULT_SETTINGS,
    complete: Callable[[Path], None] | None = None,
) -> Path:
    """Writes a model directory's next version; returns its folder.

    Args:
      generator: built.
      directory: ``NAME``.
      metadata: for ``model.json``: the licence, and whatever tells where the weights come from.
      settings: what the signatures do around the network, see `wbc_tf.serving.signatures`.
      complete: see `wbc_tf.artefact.model_directory.save_model`.
    """
    seen = field(generator)
    return save_model(
        directory,
        model=generator,
        signatures=build_signatures(partial(coefficients, generator), settings),
        metadata={
            "method": METHOD,
            "generator": generator.get_config(),
            "serving": asdict(settings),
            **metadata,
            # What inference needs in order to work tile by tile.
            "halo": seen.halo,
            "size_multiple": seen.size_multiple,
            "bytes_per_pixel": bytes_per_pixel(generator),
        },
        complete=complete,
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
