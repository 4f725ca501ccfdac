"""From an exported model to a callable on uint8 pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from wbc_tf.artefact.model_directory import find_model, read_metadata
from wbc_tf.files import PathLike
from wbc_tf.images import reduce_to_short_side, to_float
from wbc_tf.inference.full_size import apply_coefficients
from wbc_tf.inference.precision import in_precision, resolve_precision
from wbc_tf.inference.tiling import Tile, plan_tiles, smallest_tile

#: The authors' working resolution: the network was trained on, and draws best at, this scale.
SHORT_SIDE = 720
#: What comes back: the photo's own size, or the size the network worked at.
OUTPUT_SIZES = ("input", "working")
#: Megabytes for the network's own work: two pictures of 1280 x 720 at once.
MEMORY_BUDGET = 1024
#: From this size on a model that cannot be tiled is warned of.
LARGE_PIXELS = 10**7


class MemoryBudgetError(ValueError):
    """A memory budget in which no tile can be computed; the message says what it takes."""


class Cartoonizer:
    """Turns photos into cartoons: ``Cartoonizer.load("white_box")(image)``.

    It knows an exported model and nothing of the method that made it: the model's ``coefficients``
    signature gives, for a photo, the scale and offset of ``cartoon = scale * photo + offset``.

    A picture too large for the memory budget is computed tile by tile, to the same result. The
    budget counts the network's work, as pixels at once times the model's own "bytes_per_pixel". On
    top come the program (about 0.5 GB), the photo and the cartoon (6 bytes a pixel), and for a
    picture that is worked on at a reduced size its coefficients (24 bytes a reduced pixel).
    """

    def __init__(
        self, coefficients: Any, *, metadata: dict[str, Any], memory_budget: int = MEMORY_BUDGET
    ) -> None:
        self._coefficients = coefficients
        #: What the model says of itself: method, licence, origin.
        self.metadata = metadata
        self._memory_budget = memory_budget
        # Models exported by an earlier version of this project do not say how far they see.
        self._can_tile = {"halo", "size_multiple", "bytes_per_pixel"} <= metadata.keys()
        if self._can_tile:
            least = smallest_tile(halo=metadata["halo"], size_multiple=metadata["size_multiple"])
            if self._pixels < least:
                needed = -(-least * metadata["bytes_per_pixel"] // 2**20)
                raise MemoryBudgetError(
                    f"a memory budget of {memory_budget} MB is too small for this model; it takes "
                    f"at least {needed} MB"
                )

    @property
    def _pixels(self) -> int:
        """How many pixels the network may work on at once."""
        return int(self._memory_budget * 2**20 // self.metadata["bytes_per_pixel"])

    @classmethod
    def load(
        cls,
        model: PathLike = "white_box",
        *,
        precision: str = "float32",
        memory_budget: int = MEMORY_BUDGET,
    ) -> Cartoonizer:
        """Loads a model directory, or an embedded model by its name.

        Args:
          model: path or name.
          precision: of the network, one of `wbc_tf.inference.precision.PRECISIONS`; "auto" takes
            the fastest that the hardware has. The guided filter is always in float32.
          memory_budget: in megabytes, for the network's own work.

        Raises:
          ModelNotFoundError: no such model.
          PrecisionError: a precision that this machine does not have.
          MemoryBudgetError: a budget too small for any tile.
        """
        version = find_model(model)
        metadata = read_metadata(version)
        precision = resolve_precision(precision)
        loaded = tf.saved_model.load(str(version))
        coefficients = in_precision(loaded.signatures["coefficients"], precision)
        return cls(coefficients, metadata=metadata, memory_budget=memory_budget)

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
        working = _reduced(batch, short_side)
        cartoons = self._cartoons(working, batch if output_size == "input" else working)
        return cartoons if images.ndim == 4 else cartoons[0]

    def _cartoons(self, working: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The network's model of `working`, applied to `targets`: [N, h, w, 3] to [N, H, W, 3]."""
        height, width = working.shape[1:3]
        tiles, at_once = self._plan(len(working), height, width)
        cartoons = np.empty_like(targets)
        for first in range(0, len(working), at_once):
            group = slice(first, first + at_once)
            self._draw(working[group], targets[group], tiles, out=cartoons[group])
        return cartoons

    def _draw(
        self, working: np.ndarray, targets: np.ndarray, tiles: list[Tile], *, out: np.ndarray
    ) -> None:
        """Fills `out`, as large as `targets`."""
        if working.shape == targets.shape:
            # Finished tile by tile: the float maps of the whole would take eight photos' memory.
            for tile in tiles:
                rows, columns = tile.keep
                for n, (scale, offset) in enumerate(zip(*self._maps(working, tile))):
                    part = targets[n, rows, columns]
                    out[n, rows, columns] = apply_coefficients(part, scale, offset)
            return
        maps = np.empty((2, *working.shape), np.float32)
        for tile in tiles:
            rows, columns = tile.keep
            maps[:, :, rows, columns] = self._maps(working, tile)
        for n, (scale, offset) in enumerate(zip(*maps)):
            out[n] = apply_coefficients(targets[n], scale, offset)

    def _plan(self, number: int, height: int, width: int) -> tuple[list[Tile], int]:
        """The tiles of each picture, and how many pictures to work on at once."""
        whole = (slice(0, height), slice(0, width))
        if not self._can_tile:
            if height * width > LARGE_PIXELS:
                logging.warning(
                    "The model does not say how far it sees, so a picture of %dx%d is worked on in "
                    "one piece, and may not fit into memory. Export the model again to mend that.",
                    width,
                    height,
                )
            return [Tile(read=whole, keep=whole)], number
        tiles = plan_tiles(
            height,
            width,
            halo=self.metadata["halo"],
            size_multiple=self.metadata["size_multiple"],
            pixels=self._pixels,
        )
        return tiles, max(1, self._pixels // (height * width))

    def _maps(self, pictures: np.ndarray, tile: Tile) -> tuple[np.ndarray, np.ndarray]:
        """Scale and offset of `tile.keep` in every picture: float32 [N, h, w, 3] each."""
        rows, columns = tile.read
        photo = to_float(pictures[:, rows, columns])
        model = self._coefficients(photo=tf.constant(photo))
        rows, columns = tile.inner
        return model["scale"].numpy()[:, rows, columns], model["offset"].numpy()[:, rows, columns]


def _reduced(batch: np.ndarray, short_side: int) -> np.ndarray:
    """The batch at working resolution; itself, and no copy, where that is its own."""
    first = reduce_to_short_side(batch[0], short_side)
    if first.shape == batch[0].shape:
        return batch
    return np.stack([first, *(reduce_to_short_side(image, short_side) for image in batch[1:])])
