"""Writing a generator as a model directory: its signatures, and what ``model.json`` says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from wbc_tf.artefact.exported import Exported
from wbc_tf.artefact.model_directory import save_model
from wbc_tf.files import PathLike
from wbc_tf.serving.settings import ServingSettings
from wbc_tf.serving.signatures import build_signatures


def save_generator(
    exported: Exported,
    generator: tf.keras.Model,
    directory: PathLike,
    *,
    metadata: Mapping[str, Any],
    settings: ServingSettings | None = None,
    complete: Callable[[Path], None] | None = None,
) -> Path:
    """Writes a model directory's next version; returns its folder.

    Args:
      exported: of the generator's method.
      generator: with its variables.
      directory: ``NAME``.
      metadata: for ``model.json``: the licence, and whatever tells where the weights come from. It
        may also replace what the method says, such as ``delta``.
      settings: what the signatures do around the network, see `wbc_tf.serving.signatures`; by
        default the method's working resolution.
      complete: see `wbc_tf.artefact.model_directory.save_model`.
    """
    stated = {**exported.metadata(generator), **metadata}
    settings = settings or ServingSettings(
        short_side=stated["short_side"], match_brightness=stated.get("match_brightness", False)
    )
    return save_model(
        directory,
        model=generator,
        signatures=build_signatures(
            partial(exported.coefficients, generator), settings, delta=stated["delta"]
        ),
        metadata={**stated, "serving": asdict(settings)},
        complete=complete,
    )
