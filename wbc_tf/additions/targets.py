"""What the content loss holds the output to, as a stream of training data."""

from __future__ import annotations

import numpy as np

from wbc_tf.additions.config import AddedFields
from wbc_tf.data.pairs import DrawnPairs
from wbc_tf.data.streams import Derived, Source
from wbc_tf.ops.l0_smoothing import l0_smoothing
from wbc_tf.ops.pool import shared_pool


def content_target(
    config: AddedFields, *, side_photo_dir: str = ""
) -> tuple[dict[str, Source], dict[str, Derived]]:
    """The stream "content": the photo itself, or what ``config.content_target`` makes of it.

    It is made here and not in the training step, so that it is made while earlier steps run. Drawn
    content is cut from photos that were drawn whole, see `wbc_tf.data.pairs`. It brings the photos
    that belong to it, as the source "photo".

    Args:
      config: of the run.
      side_photo_dir: folder of the photos of side batches, see `Source`; empty for none.

    Returns:
      Sources and derived streams, for `wbc_tf.data.streams.batch_stream`.

    Raises:
      ImageFolderError: a folder of photos to draw is missing or holds none that can be drawn.
    """
    if config.content_target == "drawn":
        main = _pairs(config, config.photo_dir, "photo")
        side = _pairs(config, side_photo_dir, "face") if side_photo_dir else None
        photo = Source(main.photo, side.photo if side else None)
        return {"photo": photo, "content": Source(main.drawn, side.drawn if side else None)}, {}

    def unchanged(photos: np.ndarray, positions: np.ndarray) -> np.ndarray:
        return photos

    def region_maps(photos: np.ndarray, positions: np.ndarray) -> np.ndarray:
        sizes = [
            np.random.default_rng((config.seed, position)).choice(config.content_regions)
            for position in positions
        ]
        options = [
            {"kind": "felzenszwalb", "scale": float(size), "min_size": round(size)}
            for size in sizes
        ]
        return shared_pool().map(photos, options)

    def smoothed(photos: np.ndarray, positions: np.ndarray) -> np.ndarray:
        return l0_smoothing(photos, strength=config.content_smoothing)

    functions = {"photo": unchanged, "structure": region_maps, "smoothed": smoothed}
    return {}, {"content": Derived("photo", functions[config.content_target])}


def _pairs(config: AddedFields, folder: str, name: str) -> DrawnPairs:
    return DrawnPairs(
        folder,
        cache=config.pair_cache,
        style=config.drawing_style(),
        short_sides=config.pair_sides,
        scales=config.pair_scales,
        jitter=config.pair_jitter,
        patch_size=config.patch_size,
        seed=config.seed,
        name=name,
    )
