"""The folders of a white-box run as batches: photos, cartoons, and what the content is held to."""

from __future__ import annotations

import numpy as np

from wbc_tf.data.pairs import DrawnPairs
from wbc_tf.data.streams import Derived, Source
from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.ops.l0_smoothing import l0_smoothing
from wbc_tf.ops.pool import shared_pool
from wbc_tf.training.data import FolderData


class WhiteBoxData(FolderData):
    """What a run reads; raises as `FolderData` does.

    "photo", "cartoon", and "content", what the output is held to: the photo itself, or what
    ``content_target`` makes of it, here and not in the step, so that they overlap. Drawn content is
    cut from a photo that was drawn whole, see `wbc_tf.data.pairs`.
    """

    _config: WhiteBoxConfig

    def __init__(self, config: WhiteBoxConfig) -> None:
        super().__init__(config, sides=config.crop_sides)
        self.sources = {
            "photo": self._source(config.photo_dir, config.face_photo_dir, "photo"),
            "cartoon": self._source(config.cartoon_dir, config.face_cartoon_dir, "cartoon"),
        }
        targets = {
            "photo": _unchanged,
            "structure": self._region_maps,
            "smoothed": self._smoothed,
        }
        self.derived = {}
        if config.content_target == "drawn":
            scenery = self._pairs(config.photo_dir, "photo")
            faces = self._pairs(config.face_photo_dir, "face") if config.face_photo_dir else None
            self.sources["photo"] = Source(scenery.photo, faces.photo if faces else None)
            self.sources["content"] = Source(scenery.drawn, faces.drawn if faces else None)
        else:
            self.derived["content"] = Derived("photo", targets[config.content_target])

    def _region_maps(self, photos: np.ndarray, positions: np.ndarray) -> np.ndarray:
        config = self._config
        sizes = [
            np.random.default_rng((config.seed, position)).choice(config.content_regions)
            for position in positions
        ]
        options = [
            {"kind": "felzenszwalb", "scale": float(size), "min_size": round(size)}
            for size in sizes
        ]
        return shared_pool().map(photos, options)

    def _smoothed(self, photos: np.ndarray, _: np.ndarray) -> np.ndarray:
        return l0_smoothing(photos, strength=self._config.content_smoothing)

    def _pairs(self, folder: str, name: str) -> DrawnPairs:
        config = self._config
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

    def _source(self, scenery: str, faces: str, name: str) -> Source:
        return Source(
            main=self.sampler(scenery, name),
            side=self.sampler(faces, f"face {name}") if faces else None,
        )


def _unchanged(photos: np.ndarray, _: np.ndarray) -> np.ndarray:
    return photos
