"""What inference needs of this method, see `wbc_tf.artefact.exported`."""

from __future__ import annotations

import tensorflow as tf

from wbc_tf.artefact.exported import WHOLE, Exported
from wbc_tf.images import crop_to, pad_to_multiple
from wbc_tf.layers.guided_filter import adjusted
from wbc_tf.methods.cartoongan.generator import LEAST_SIDE, Generator, build_generator

# Of the guided filter that delta mixes in. By default it is not: it erases the thin dark contours,
# which lie where the photo has none, and they are the style.
GUIDED_FILTER_RADIUS = 1
GUIDED_FILTER_EPS = 5e-3


def coefficients(
    generator: Generator,
    photo: tf.Tensor,
    strength: tf.Tensor | float = 1.0,
    delta: tf.Tensor | float = 0.0,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The cartoon as a local linear model of the photo: ``cartoon = scale * photo + offset``.

    Args:
      generator: built.
      photo: float32 [N, H, W, 3] RGB in [-1, 1], any size.
      strength: see `wbc_tf.layers.guided_filter.adjusted`.
      delta: the same; 0, the default, gives what the network drew.

    Returns:
      scale and offset, float32 [N, H, W, 3].
    """
    # The network takes any size from `LEAST_SIDE` on, and other borders would be another picture.
    height, width = tf.unstack(tf.shape(photo)[1:3])
    least = tf.where(tf.minimum(height, width) < LEAST_SIDE, LEAST_SIDE, 1)
    raw = crop_to(generator(pad_to_multiple(photo, least)), photo)
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
