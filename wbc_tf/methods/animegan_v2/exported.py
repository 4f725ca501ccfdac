"""What inference needs of this method, see `wbc_tf.artefact.exported`."""

from __future__ import annotations

import tensorflow as tf

from wbc_tf.artefact.exported import WHOLE, Exported
from wbc_tf.layers.output_filter import cartoon_coefficients
from wbc_tf.methods.animegan_v2.generator import (
    LEAST_SIDE,
    SIZE_MULTIPLE,
    Generator,
    build_generator,
)


def coefficients(
    generator: Generator,
    photo: tf.Tensor,
    strength: tf.Tensor | float = 1.0,
    delta: tf.Tensor | float = 0.0,
) -> tuple[tf.Tensor, tf.Tensor]:
    """See `cartoon_coefficients`; by default there is no guided filter, as released.

    The authors resize a photo to multiples of 32 pixels, at least 256. Here its border is reflected
    to a multiple of 8, and cut off afterwards: the picture keeps its proportions and its sharpness,
    and layer norm sees at most 7 invented rows and columns.
    """
    return cartoon_coefficients(
        generator,
        photo,
        strength,
        delta,
        size_multiple=SIZE_MULTIPLE,
        least_side=LEAST_SIDE,
    )


def bytes_per_pixel(generator: Generator) -> int:
    """Memory that `coefficients` takes at its peak on a CPU, for each pixel of the photo.

    Measured, as the growth of the process's largest resident size at 720 x 960: 1742 and 533 bytes.
    """
    return {"full": 1800, "lite": 560}[generator.network]


EXPORTED = Exported(
    method="animegan_v2",
    build=build_generator,
    coefficients=coefficients,
    reach=lambda generator: WHOLE,
    bytes_per_pixel=bytes_per_pixel,
    # The authors work at the photo's own size. A network that cannot be tiled needs a bound: at 512
    # a picture of 16:9 takes 820 MB with the full generator, and the default budget is 1024.
    short_side=512,
    delta=0.0,
)
