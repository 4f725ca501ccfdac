"""The two folders of a run as batches: photos, and four streams that come from the style pictures.

The original wants pictures of 256 x 256, made and edge-smoothed beforehand, and neither crops nor
mirrors them. Here pictures have any size: see `wbc_tf.data.crops.CropSampler` for how a crop is
chosen. A picture of 256 x 256 is taken as it is, or mirrored.
"""

from __future__ import annotations

import cv2
import numpy as np
import tensorflow as tf

from wbc_tf.data.crops import CropSampler
from wbc_tf.data.pictures import PictureCache
from wbc_tf.data.streams import Derived, Source, batch_stream
from wbc_tf.methods.animegan_v2.config import AnimeGanV2Config
from wbc_tf.ops.edge_smoothing import smooth_edges

#: Rows of the sample grid.
SAMPLES = 4
#: What a step reads.
STREAMS = ("photo", "anime", "anime_gray", "smooth_gray")


class AnimeGanV2Data:
    """What a run reads. Batches and samples are pure functions of (seed, step).

    Raises:
      ValueError: the config names no folder of photos or none of style pictures.
      ImageFolderError: a folder is missing, or holds less than a batch.
    """

    def __init__(self, config: AnimeGanV2Config) -> None:
        for name in ("photo_dir", "cartoon_dir"):
            if not getattr(config, name):
                raise ValueError(f"{name} is empty, and must be a folder of pictures to train on")
        self._config = config
        self._cache = PictureCache()
        self._samples = self._sampler(config.photo_dir, "sample", at_least=1)
        style = self._sampler(config.cartoon_dir, "style")
        self._sources = {
            "photo": Source(self._sampler(config.photo_dir, "photo")),
            "style": Source(style),
            # Other crops than the coloured ones, as in the original.
            "smooth": Source(self._sampler(config.cartoon_dir, "smooth")),
        }
        shift = np.zeros(3, np.float32)
        if config.color_shift:
            shift = color_shift(style, self._cache)
        self._derived = {
            "anime": Derived("style", lambda pictures, _: pictures + shift),
            "anime_gray": Derived("style", lambda pictures, _: gray(pictures)),
            "smooth_gray": Derived("smooth", lambda pictures, _: gray(smooth_edges(pictures))),
        }

    def batches(
        self, *, start_step: int, context: tf.distribute.InputContext | None = None
    ) -> tf.data.Dataset:
        """Endless dicts of float32 [batch, patch, patch, 3] RGB in [-1, 1].

        "photo"; "anime", pictures of the style, which may leave the range a little with
        ``color_shift``; "anime_gray", the same in grey; "smooth_gray", others in grey with blurred
        edges.
        """
        dataset = batch_stream(
            self._sources,
            self._derived,
            batch_size=self._config.batch_size,
            patch_size=self._config.patch_size,
            start_step=start_step,
            context=context,
        )
        return dataset.map(lambda batch: {name: batch[name] for name in STREAMS})

    def sample_photos(self) -> tf.Tensor:
        """The photos of the sample grid, the same all through."""
        return tf.stack([self._samples.crop(i) for i in range(SAMPLES)])

    def _sampler(self, folder: str, name: str, *, at_least: int | None = None) -> CropSampler:
        config = self._config
        return CropSampler(
            folder,
            patch_size=config.patch_size,
            sides=config.crop_sides,
            seed=config.seed,
            name=name,
            at_least=config.batch_size if at_least is None else at_least,
            cache=self._cache,
        )


def gray(pictures: np.ndarray) -> np.ndarray:
    """RGB in [-1, 1] -> the luma 0.299 R + 0.587 G + 0.114 B as three equal channels."""
    return np.stack([cv2.merge([cv2.cvtColor(each, cv2.COLOR_RGB2GRAY)] * 3) for each in pictures])


def color_shift(sampler: CropSampler, cache: PictureCache) -> np.ndarray:
    """What, added to each channel, makes the folder's mean colour grey: float32 [3].

    In units of [-1, 1]. Pictures count alike, whatever their sizes.

    Args:
      sampler: of the folder.
      cache: to read the pictures from; what cannot be read is left out.
    """
    pictures = (cache.read(path) for path in sampler.paths)
    means = [cv2.mean(picture)[:3] for picture in pictures if picture is not None]
    mean = np.mean(means, axis=0)
    return ((mean.mean() - mean) / 127.5).astype(np.float32)
