"""What inference needs of this method, see `wbc_tf.artefact.exported`."""

from __future__ import annotations

import tensorflow as tf

from wbc_tf.artefact.exported import Exported
from wbc_tf.artefact.receptive_field import ReceptiveField, receptive_field
from wbc_tf.layers.guided_filter import guided_filter_coefficients
from wbc_tf.layers.output_filter import EPS, RADIUS, cartoon_coefficients
from wbc_tf.methods.white_box.generator import SIZE_MULTIPLE, Generator, build_generator


def coefficients(
    generator: Generator,
    photo: tf.Tensor,
    strength: tf.Tensor | float = 1.0,
    delta: tf.Tensor | float = 1.0,
) -> tuple[tf.Tensor, tf.Tensor]:
    """See `cartoon_coefficients`; delta is 1 as released."""
    return cartoon_coefficients(generator, photo, strength, delta, size_multiple=SIZE_MULTIPLE)


def reach(generator: Generator) -> ReceptiveField:
    """How far a pixel of `coefficients` sees, the guided filter's windows included."""

    def unpadded(photo: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return guided_filter_coefficients(photo, generator(photo), radius=RADIUS, eps=EPS)

    return receptive_field(unpadded)


def bytes_per_pixel(generator: Generator) -> int:
    """Memory that `coefficients` takes at its peak on a CPU, for each pixel of the photo.

    Measured, as the growth of the process's largest resident size: 162, 283, 550 and 995 bytes at
    4, 16, 32 and 64 channels with four blocks, and 554 at 32 in bfloat16. The line lies above them.
    """
    return 120 + 14 * int(generator.get_config()["channels"])


EXPORTED = Exported(
    method="white_box",
    build=build_generator,
    coefficients=coefficients,
    reach=reach,
    bytes_per_pixel=bytes_per_pixel,
)
