"""What inference needs of a method: how its network is built, run and cut into tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wbc_tf.artefact.model_directory import find_model, load_weights, read_metadata
from wbc_tf.artefact.receptive_field import ReceptiveField
from wbc_tf.files import PathLike

if TYPE_CHECKING:
    import tensorflow as tf

#: What `Exported.reach` returns for a network in which each pixel depends on the whole picture.
WHOLE = "whole"


@dataclass(frozen=True)
class Exported:
    """A method's models, as everything outside the method sees them.

    Attributes:
      method: the method's name; ``model.json`` states it.
      build: (**settings, dtype=policy) -> the generator with its variables. ``get_config`` of the
        generator gives the settings back, without the dtype.
      coefficients: (generator, photo, strength, delta) -> scale and offset of
        ``cartoon = scale * photo + offset``. photo, scale and offset are float32 [N, H, W, 3], of
        any size; strength and delta are float32 scalars, as `wbc_tf.layers.guided_filter.adjusted`
        tells.
      reach: generator -> how far a pixel of the result sees, or `WHOLE` where normalisation makes
        every pixel depend on the whole picture. Such a model is never cut into tiles.
      bytes_per_pixel: generator -> memory that `coefficients` takes at its peak on a CPU, for each
        pixel of the photo.
      short_side: working resolution in pixels: the short side at which the network draws best.
      delta: default share of the guided filter in the result, 0 to 1.
    """

    method: str
    build: Callable[..., tf.keras.Model]
    coefficients: Callable[..., tuple[tf.Tensor, tf.Tensor]]
    reach: Callable[[tf.keras.Model], ReceptiveField | str]
    bytes_per_pixel: Callable[[tf.keras.Model], int]
    short_side: int = 720
    delta: float = 1.0

    def metadata(self, generator: tf.keras.Model) -> dict[str, Any]:
        """What ``model.json`` says of a generator of this method."""
        reach = self.reach(generator)
        if isinstance(reach, ReceptiveField):
            seen: Any = {"halo": reach.halo, "grid": reach.size_multiple}
        else:
            seen = reach
        return {
            "method": self.method,
            "generator": generator.get_config(),
            "reach": seen,
            "bytes_per_pixel": self.bytes_per_pixel(generator),
            "short_side": self.short_side,
            "delta": self.delta,
        }


def load_generator(exported: Exported, name_or_path: PathLike) -> tf.keras.Model:
    """The Keras generator of an exported model, for further training or study.

    Raises:
      ModelNotFoundError: no such model.
      ValueError: a model of another method.
      WeightsError: its variables are not this network's; all differences are listed.
    """
    version = find_model(name_or_path)
    metadata = read_metadata(version)
    if metadata["method"] != exported.method:
        raise ValueError(
            f"{version}: a model of method '{metadata['method']}', not '{exported.method}'"
        )
    generator = exported.build(**metadata["generator"])
    load_weights(generator, version)
    return generator
