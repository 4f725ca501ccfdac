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
from wbc_tf.data.streams import Derived, Source
from wbc_tf.methods.animegan_v2.config import AnimeGanV2Config
from wbc_tf.ops.edge_smoothing import smooth_edges
from wbc_tf.training.data import FolderData

#: What a step reads.
STREAMS = ("photo", "anime", "anime_gray", "smooth_gray")


class AnimeGanV2Data(FolderData):
    """What a run reads; raises as `FolderData` does.

    "photo"; "anime", pictures of the style, which may leave the range a little with
    ``color_shift``; "anime_gray", the same in grey; "smooth_gray", others in grey with blurred
    edges.
    """

    def __init__(self, config: AnimeGanV2Config) -> None:
        super().__init__(config, sides=config.crop_sides)
        style = self.sampler(config.cartoon_dir, "style")
        self.sources = {
            "photo": Source(self.sampler(config.photo_dir, "photo")),
            "style": Source(style),
            # Other crops than the coloured ones, as in the original.
            "smooth": Source(self.sampler(config.cartoon_dir, "smooth")),
        }
        shift = np.zeros(3, np.float32)
        if config.color_shift:
            shift = color_shift(style, self.cache)
        self.derived = {
            "anime": Derived("style", lambda pictures, _: pictures + shift),
            "anime_gray": Derived("style", lambda pictures, _: gray(pictures)),
            "smooth_gray": Derived("smooth", lambda pictures, _: gray(smooth_edges(pictures))),
        }

    def batches(
        self, *, start_step: int, context: tf.distribute.InputContext | None = None
    ) -> tf.data.Dataset:
        """See `FolderData.batches`; only what a step reads."""
        dataset = super().batches(start_step=start_step, context=context)
        return dataset.map(lambda batch: {name: batch[name] for name in STREAMS})


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
