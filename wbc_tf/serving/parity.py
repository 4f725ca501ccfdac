"""Checks that an exported model gives the same pictures as its network, before it gets its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from wbc_tf.artefact.model_directory import load_signatures, read_metadata
from wbc_tf.images import tensor_to_float
from wbc_tf.serving.codec import encode_picture, opaque
from wbc_tf.serving.sample_photo import sample_photo
from wbc_tf.serving.settings import ServingSettings
from wbc_tf.serving.signatures import Coefficients

#: Largest difference of `predict_float`, in [-1, 1]: the same float32 sums in another order come
#: to some 1e-6, and a hundred times that is still a fortieth of a grey level.
FLOAT_TOLERANCE = 1e-4
#: Largest difference of pictures, in grey levels: a level halfway between two may round either way.
LEVEL_TOLERANCE = 1
#: The same where both have been through JPEG: one level before it may move one of a block's
#: coefficients by a whole step, which at the lowest quality is some 64 levels.
JPEG_TOLERANCE = 64


class ParityError(ValueError):
    """The exported model gives other pictures than the network it was made from."""


@dataclass(frozen=True)
class Parity:
    """The largest differences found: of `predict_float` in [-1, 1], of pictures in grey levels."""

    float_difference: float
    level_difference: int


def check_parity(
    version: Path,
    coefficients: Coefficients,
    settings: ServingSettings,
    *,
    cartoonize: Callable[[np.ndarray], np.ndarray],
) -> Parity:
    """Compares a saved version's signatures with the network they came from, run eagerly.

    Args:
      version: the folder with ``saved_model.pb``.
      coefficients: the network, as it was given to `build_signatures`.
      settings: the same as there.
      cartoonize: the command line's way through the same network under the same settings, uint8
        [H, W, 3] RGB in and out.

    Raises:
      ParityError: a difference above the tolerances.
    """
    signatures = load_signatures(version)
    strength, delta = tf.constant(1.0), tf.constant(read_metadata(version).get("delta", 1.0))
    float_difference, level_difference = 0.0, 0
    for size in _sizes(settings):
        photo = sample_photo(*size)
        floats = tensor_to_float(photo[None])
        scale, offset = coefficients(floats, strength, delta)
        drawn = signatures["predict_float"](photo=floats)["cartoon"]
        difference = float(tf.reduce_max(tf.abs(drawn - (scale * floats + offset))))
        # Written so that NaN, which compares as false, counts as a difference too.
        if not difference <= FLOAT_TOLERANCE:
            raise ParityError(
                f"predict_float differs from the network by {difference:.2g} at "
                f"{size[0]}x{size[1]}, above {FLOAT_TOLERANCE}. Nothing was written."
            )
        float_difference = max(float_difference, difference)

        expected = cartoonize(photo)
        levels = signatures["predict_uint8"](photo=photo[None])["cartoon"].numpy()[0]
        served = _served(signatures["serving_default"], photo)
        answer, allowed = expected, LEVEL_TOLERANCE
        if settings.encoding == "jpeg":
            answer, allowed = _decoded(encode_picture(opaque(expected), settings)), JPEG_TOLERANCE
        compared = {
            "predict_uint8": (levels, expected, LEVEL_TOLERANCE),
            "serving_default": (served, answer, allowed),
        }
        for name, (picture, wanted, tolerance) in compared.items():
            worst = _level_difference(picture, wanted)
            if worst > tolerance:
                raise ParityError(
                    f"{name} differs from the network by {worst} grey levels at "
                    f"{size[0]}x{size[1]}, above {tolerance}. Nothing was written."
                )
            if tolerance == LEVEL_TOLERANCE:
                level_difference = max(level_difference, worst)
    return Parity(float_difference, level_difference)


def _sizes(settings: ServingSettings) -> list[tuple[int, int]]:
    # The last one has to be reduced to the working resolution, by no whole ratio.
    reduced = settings.short_side + settings.short_side // 9 + 1
    return [(1, 1), (97, 131), *([(reduced, reduced + 7)] if settings.short_side else [])]


def _level_difference(picture: np.ndarray, expected: np.ndarray) -> int:
    if picture.shape != expected.shape:
        return 255
    return int(np.abs(picture.astype(np.int16) - expected).max())


def _served(serving_default: Callable[..., dict[str, tf.Tensor]], photo: np.ndarray) -> np.ndarray:
    """What a client gets for a photo."""
    return _decoded(serving_default(image_bytes=tf.io.encode_png(photo)[None])["cartoon_bytes"][0])


def _decoded(data: tf.Tensor) -> np.ndarray:
    return np.asarray(tf.io.decode_image(data, channels=3))
