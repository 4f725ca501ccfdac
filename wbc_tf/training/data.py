"""Two folders of pictures as the batches of a run: what the data of all methods have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from wbc_tf.data.crops import CropSampler
from wbc_tf.data.pictures import ImageFolderError, PictureCache
from wbc_tf.data.streams import Derived, Source, batch_stream
from wbc_tf.training.config import TrainingConfig

#: Rows of the sample grid.
SAMPLES = 4


class FolderData:
    """What a run reads. Batches and samples are pure functions of (seed, step).

    A method derives from it and sets `sources` and `derived` after ``super().__init__``.

    Args:
      config: names the folders and the crops.
      sides: see `CropSampler`; None takes whole pictures.

    Raises:
      ValueError: the config names no folder of photos or none of cartoons.
      ImageFolderError: a folder is missing, or holds less than a batch.
    """

    #: Folders by the names of their streams, see `batch_stream`.
    sources: Mapping[str, Source]
    #: Streams that are made from these.
    derived: Mapping[str, Derived]

    def __init__(self, config: TrainingConfig, *, sides: tuple[float, float] | None) -> None:
        for name in ("photo_dir", "cartoon_dir"):
            if not getattr(config, name):
                raise ValueError(f"{name} is empty, and must be a folder of pictures to train on")
        for name, folder in vars(config).items():
            if name.endswith("_dir") and folder and not Path(folder).is_dir():
                raise ImageFolderError(f"--{name}={folder}: there is no such folder")
        self._config = config
        self._sides = sides
        self.cache = PictureCache()
        self._samples = self.sampler(config.photo_dir, "sample", at_least=1)

    def sampler(self, folder: str, name: str, *, at_least: int | None = None) -> CropSampler:
        """Crops of a folder, with at least a batch of pictures unless told otherwise."""
        return CropSampler(
            folder,
            patch_size=self._config.patch_size,
            sides=self._sides,
            seed=self._config.seed,
            name=name,
            at_least=self._config.batch_size if at_least is None else at_least,
            cache=self.cache,
        )

    def batches(
        self, *, start_step: int, context: tf.distribute.InputContext | None = None
    ) -> tf.data.Dataset:
        """Endless dicts of float32 [batch, patch, patch, 3] RGB in [-1, 1], by stream.

        Args:
          start_step: of the first batch.
          context: which worker asks, see `batch_stream`.
        """
        return batch_stream(
            self.sources,
            self.derived,
            batch_size=self._config.batch_size,
            patch_size=self._config.patch_size,
            start_step=start_step,
            context=context,
        )

    def sample_photos(self) -> tf.Tensor:
        """The photos of the sample grid: crops of the photos, the same all through."""
        return tf.stack([self._samples.crop(i) for i in range(SAMPLES)])
