"""The folders of a white-box run as batches: photos, cartoons, and what the content is held to."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from wbc_tf.data.crops import CropSampler
from wbc_tf.data.pairs import DrawnPairs
from wbc_tf.data.pictures import PictureCache
from wbc_tf.data.streams import Derived, Source, batch_stream
from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.ops.l0_smoothing import l0_smoothing
from wbc_tf.ops.pool import shared_pool

#: Rows of the sample grid.
SAMPLES = 4


class WhiteBoxData:
    """What a run reads. Batches and samples are pure functions of (seed, step).

    Raises:
      ValueError: the config names no folder of photos or none of cartoons.
      ImageFolderError: a folder is missing, or holds less than a batch.
    """

    def __init__(self, config: WhiteBoxConfig) -> None:
        for name in ("photo_dir", "cartoon_dir"):
            if not getattr(config, name):
                raise ValueError(f"{name} is empty, and must be a folder of pictures to train on")
        self._config = config
        self._cache = PictureCache()
        self._samples = self._sampler(config.photo_dir, "sample", at_least=1)
        self._sources = {
            "photo": self._source(config.photo_dir, config.face_photo_dir, "photo"),
            "cartoon": self._source(config.cartoon_dir, config.face_cartoon_dir, "cartoon"),
        }
        targets = {
            "photo": _unchanged,
            "structure": self._region_maps,
            "smoothed": self._smoothed,
        }
        self._derived = {}
        if config.content_target == "drawn":
            scenery = self._pairs(config.photo_dir, "photo")
            faces = self._pairs(config.face_photo_dir, "face") if config.face_photo_dir else None
            self._sources["photo"] = Source(scenery.photo, faces.photo if faces else None)
            self._sources["content"] = Source(scenery.drawn, faces.drawn if faces else None)
        else:
            self._derived["content"] = Derived("photo", targets[config.content_target])

    def batches(
        self, *, start_step: int, context: tf.distribute.InputContext | None = None
    ) -> tf.data.Dataset:
        """Endless dicts of float32 [batch, patch, patch, 3] RGB in [-1, 1].

        "photo", "cartoon", and "content", what the output is held to: the photo itself, or what
        ``content_target`` makes of it, here and not in the step, so that they overlap. Drawn
        content is cut from a photo that was drawn whole, see `wbc_tf.data.pairs`.

        Args:
          start_step: of the first batch.
          context: which worker asks, see `batch_stream`.
        """
        return batch_stream(
            self._sources,
            self._derived,
            batch_size=self._config.batch_size,
            patch_size=self._config.patch_size,
            start_step=start_step,
            context=context,
        )

    def sample_photos(self) -> tf.Tensor:
        """The photos of the sample grid: crops of the scenery photos, the same all through."""
        return tf.stack([self._samples.crop(i) for i in range(SAMPLES)])

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
            main=self._sampler(scenery, name),
            side=self._sampler(faces, f"face {name}") if faces else None,
        )

    def _sampler(self, folder: str, name: str, *, at_least: int | None = None) -> CropSampler:
        return CropSampler(
            folder,
            patch_size=self._config.patch_size,
            sides=self._config.crop_sides,
            seed=self._config.seed,
            name=name,
            at_least=self._config.batch_size if at_least is None else at_least,
            cache=self._cache,
        )


def _unchanged(photos: np.ndarray, _: np.ndarray) -> np.ndarray:
    return photos
