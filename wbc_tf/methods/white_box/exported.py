"""What inference needs of this method, see `wbc_tf.artefact.exported`."""

from __future__ import annotations

import tensorflow as tf

from wbc_tf.artefact.exported import Exported
from wbc_tf.artefact.receptive_field import ReceptiveField, receptive_field
from wbc_tf.images import crop_to, pad_to_multiple
from wbc_tf.layers.guided_filter import adjusted, guided_filter_coefficients
from wbc_tf.methods.white_box.generator import SIZE_MULTIPLE, Generator, build_generator

# As released for inference; in training the filter on the output is softer (eps 1e-2).
GUIDED_FILTER_RADIUS = 1
GUIDED_FILTER_EPS = 5e-3


def coefficients(
    generator: Generator,
    photo: tf.Tensor,
    strength: tf.Tensor | float = 1.0,
    delta: tf.Tensor | float = 1.0,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The cartoon as a local linear model of the photo: ``cartoon = scale * photo + offset``.

    It is what the guided filter computes anyway, and what brings the cartoon of a reduced photo
    back to full size with sharp edges.

    Args:
      generator: built.
      photo: float32 [N, H, W, 3] RGB in [-1, 1], any size.
      strength: see `wbc_tf.layers.guided_filter.adjusted`.
      delta: the same; 1 as released.

    Returns:
      scale and offset, float32 [N, H, W, 3].
    """
    raw = crop_to(generator(pad_to_multiple(photo, SIZE_MULTIPLE)), photo)
    return adjusted(
        photo,
        raw,
        radius=GUIDED_FILTER_RADIUS,
        eps=GUIDED_FILTER_EPS,
        strength=strength,
        delta=delta,
    )


def reach(generator: Generator) -> ReceptiveField:
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


EXPORTED = Exported(
    method="white_box",
    build=build_generator,
    coefficients=coefficients,
    reach=reach,
    bytes_per_pixel=bytes_per_pixel,
)
