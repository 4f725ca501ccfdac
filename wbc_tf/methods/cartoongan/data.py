"""The folders of a CartoonGAN run as batches: photos, cartoons, and edge-smoothed cartoons."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from wbc_tf.data.crops import CropSampler
from wbc_tf.data.pictures import PictureCache
from wbc_tf.data.streams import Derived, Source, batch_stream
from wbc_tf.methods.cartoongan.config import CartoonGanConfig
from wbc_tf.ops.edge_smoothing import smooth_edges

#: Rows of the sample grid.
SAMPLES = 4


class CartoonGanData:
    """What a run reads. Batches and samples are pure functions of (seed, step).

    Raises:
      ValueError: the config names no folder of photos or none of cartoons.
      ImageFolderError: a folder is missing, or holds less than a batch.
    """

    def __init__(self, config: CartoonGanConfig) -> None:
        for name in ("photo_dir", "cartoon_dir"):
            if not getattr(config, name):
                raise ValueError(f"{name} is empty, and must be a folder of pictures to train on")
        self._config = config
        self._cache = PictureCache()
        self._samples = self._sampler(config.photo_dir, "sample", at_least=1)
        self._sources = {
            "photo": Source(self._sampler(config.photo_dir, "photo")),
            "cartoon": Source(self._sampler(config.cartoon_dir, "cartoon")),
            # As released, the edge-smoothed pictures are others than the cartoons beside them.
            "other_cartoon": Source(self._sampler(config.cartoon_dir, "other cartoon")),
        }
        self._derived = {"edge_smoothed": Derived("other_cartoon", self._edge_smoothed)}

    def batches(
        self, *, start_step: int, context: tf.distribute.InputContext | None = None
    ) -> tf.data.Dataset:
        """Endless dicts of float32 [batch, patch, patch, 3] RGB in [-1, 1].

        "photo", "cartoon", "edge_smoothed", and "other_cartoon", what that one was made from.

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
        """The photos of the sample grid, the same all through."""
        return tf.stack([self._samples.crop(i) for i in range(SAMPLES)])

    def _edge_smoothed(self, cartoons: np.ndarray, _: np.ndarray) -> np.ndarray:
        config = self._config
        return smooth_edges(
            cartoons,
            low_threshold=config.edge_low,
            high_threshold=config.edge_high,
            dilation=config.edge_dilation,
            blur=config.edge_blur,
        )

    def _sampler(self, folder: str, name: str, *, at_least: int | None = None) -> CropSampler:
        config = self._config
        return CropSampler(
            folder,
            patch_size=config.patch_size,
            sides=None if config.whole_pictures else config.crop_sides,
            seed=config.seed,
            name=name,
            at_least=config.batch_size if at_least is None else at_least,
            cache=self._cache,
        )
