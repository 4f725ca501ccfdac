"""What inference needs of this method, see `wbc_tf.artefact.exported`."""

from __future__ import annotations

import tensorflow as tf

from wbc_tf.artefact.exported import WHOLE, Exported
from wbc_tf.layers.output_filter import cartoon_coefficients
from wbc_tf.methods.cartoongan.generator import LEAST_SIDE, Generator, build_generator


def coefficients(
    generator: Generator,
    photo: tf.Tensor,
    strength: tf.Tensor | float = 1.0,
    delta: tf.Tensor | float = 0.0,
) -> tuple[tf.Tensor, tf.Tensor]:
    """See `cartoon_coefficients`.

    By default there is no guided filter: it erases the thin dark contours, which lie where the
    photo has none, and they are the style. Nor is a photo padded: instance norm would see the
    padding, and every pixel would change.
    """
    return cartoon_coefficients(generator, photo, strength, delta, least_side=LEAST_SIDE)


def bytes_per_pixel(generator: Generator) -> int:
    """Memory that `coefficients` takes at its peak on a CPU, for each pixel of the photo.

    Measured, as the growth of the process's largest resident size: 132, 406 and 717 bytes at 8, 32
    and 64 channels. The line lies above them.
    """
    return 60 + 14 * int(generator.get_config()["channels"])


EXPORTED = Exported(
    method="cartoongan",
    build=build_generator,
    coefficients=coefficients,
    reach=lambda generator: WHOLE,  # instance norm
    bytes_per_pixel=bytes_per_pixel,
    # The published pictures have a long side of 450 pixels, about 300 on the short one. Larger
    # draws thinner lines, but less soft ones once enlarged, and still fits the memory budget.
    short_side=512,
    delta=0.0,
)
