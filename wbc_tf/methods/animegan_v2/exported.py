"""What inference needs of this method, see `wbc_tf.artefact.exported`."""

from __future__ import annotations

import tensorflow as tf

from wbc_tf.artefact.exported import WHOLE, Exported
from wbc_tf.images import crop_to, pad_to_multiple
from wbc_tf.layers.guided_filter import adjusted
from wbc_tf.methods.animegan_v2.generator import (
    LEAST_SIDE,
    SIZE_MULTIPLE,
    Generator,
    build_generator,
)

# The authors use no filter, and the default delta of 0 none either. For those who ask for one it
# is the white-box method's.
GUIDED_FILTER_RADIUS = 1
GUIDED_FILTER_EPS = 5e-3


def coefficients(
    generator: Generator,
    photo: tf.Tensor,
    strength: tf.Tensor | float = 1.0,
    delta: tf.Tensor | float = 0.0,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The cartoon as a local linear model of the photo: ``cartoon = scale * photo + offset``.

    The authors resize a photo to multiples of 32 pixels, at least 256. Here its border is reflected
    to a multiple of 8, and cut off afterwards: the picture keeps its proportions and its sharpness,
    and layer norm sees at most 7 invented rows and columns.

    Args:
      generator: built.
      photo: float32 [N, H, W, 3] RGB in [-1, 1], any size.
      strength: see `wbc_tf.layers.guided_filter.adjusted`.
      delta: the same; 0 as released.

    Returns:
      scale and offset, float32 [N, H, W, 3].
    """
    padded = pad_to_multiple(photo, SIZE_MULTIPLE, at_least=LEAST_SIDE)
    raw = crop_to(generator(padded), photo)
    return adjusted(
        photo,
        raw,
        radius=GUIDED_FILTER_RADIUS,
        eps=GUIDED_FILTER_EPS,
        strength=strength,
        delta=delta,
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
