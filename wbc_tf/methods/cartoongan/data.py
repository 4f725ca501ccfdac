"""The folders of a CartoonGAN run as batches: photos, cartoons, and edge-smoothed cartoons."""

from __future__ import annotations

import numpy as np

from wbc_tf.data.streams import Derived, Source
from wbc_tf.methods.cartoongan.config import CartoonGanConfig
from wbc_tf.ops.edge_smoothing import smooth_edges
from wbc_tf.training.data import FolderData


class CartoonGanData(FolderData):
    """What a run reads; raises as `FolderData` does.

    "photo", "cartoon", "edge_smoothed", and "other_cartoon", what that one was made from.
    """

    _config: CartoonGanConfig

    def __init__(self, config: CartoonGanConfig) -> None:
        super().__init__(config, sides=None if config.whole_pictures else config.crop_sides)
        self.sources = {
            "photo": Source(self.sampler(config.photo_dir, "photo")),
            "cartoon": Source(self.sampler(config.cartoon_dir, "cartoon")),
            # As released, the edge-smoothed pictures are others than the cartoons beside them.
            "other_cartoon": Source(self.sampler(config.cartoon_dir, "other cartoon")),
        }
        self.derived = {"edge_smoothed": Derived("other_cartoon", self._edge_smoothed)}

    def _edge_smoothed(self, cartoons: np.ndarray, _: np.ndarray) -> np.ndarray:
        config = self._config
        return smooth_edges(
            cartoons,
            low_threshold=config.edge_low,
            high_threshold=config.edge_high,
            dilation=config.edge_dilation,
            blur=config.edge_blur,
        )
