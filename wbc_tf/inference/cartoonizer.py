"""From an exported model to a callable on uint8 pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from wbc_tf.images import PathLike, reduce_to_short_side, to_float
from wbc_tf.inference.full_size import apply_coefficients
from wbc_tf.model_directory import find_model, read_metadata

#: The authors' working resolution: the network was trained on, and draws best at, this scale.
SHORT_SIDE = 720
#: What comes back: the photo's own size, or the size the network worked at.
OUTPUT_SIZES = ("input", "working")


class Cartoonizer:
    """Turns photos into cartoons: ``Cartoonizer.load("white_box")(image)``.

    It knows an exported model and nothing of the method that made it: the model's ``coefficients``
    signature gives, for a photo, the scale and offset of ``cartoon = scale * photo + offset``.
    """

    def __init__(self, coefficients: Any, *, metadata: dict[str, Any]) -> None:
        self._coefficients = coefficients
        #: What the model says of itself: method, licence, origin.
        self.metadata = metadata

    @classmethod
    def load(cls, model: PathLike = "white_box") -> Cartoonizer:
        """Loads a model directory, or an embedded model by its name.

        Raises:
          ModelNotFoundError: no such model.
        """
        version = find_model(model)
        metadata = read_metadata(version)
        loaded = tf.saved_model.load(str(version))
        return cls(loaded.signatures["coefficients"], metadata=metadata)

    def __call__(
        self, images: np.ndarray, *, short_side: int = SHORT_SIDE, output_size: str = "input"
    ) -> np.ndarray:
        """Cartoonizes one picture or a batch of equally large ones.

        Args:
          images: uint8 RGB, [H, W, 3] or [N, H, W, 3].
          short_side: working resolution in pixels; larger pictures are reduced to it first. 0 works
            at the pictures' own size.
          output_size: "input" brings the result back to the pictures' own size: the guided filter's
            coefficients are computed at working resolution and applied to the full picture.
            "working" returns what the network drew.

        Returns:
          uint8 RGB of the same rank; of the same size unless `output_size` is "working".

        Raises:
          ValueError: pictures of another type or shape, or an unknown `output_size`.
        """
        if output_size not in OUTPUT_SIZES:
            raise ValueError(f"output_size is one of {OUTPUT_SIZES}, not {output_size!r}")
        if short_side < 0:
            raise ValueError(f"short_side is a number of pixels or 0, not {short_side}")
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[-1] != 3:
            raise ValueError(
                "expected uint8 RGB [H, W, 3] or [N, H, W, 3], got "
                f"{images.dtype} {list(images.shape)}"
            )
        if 0 in images.shape:
            raise ValueError(f"a picture without pixels: {list(images.shape)}")
        batch = images if images.ndim == 4 else images[None]
        working = np.stack([reduce_to_short_side(image, short_side) for image in batch])
        model = self._coefficients(photo=tf.constant(to_float(working)))
        targets = batch if output_size == "input" else working
        cartoons = np.stack(
            [
                apply_coefficients(target, scale, offset)
                for target, scale, offset in zip(
                    targets, model["scale"].numpy(), model["offset"].numpy()
                )
            ]
        )
        return cartoons if images.ndim == 4 else cartoons[0]
