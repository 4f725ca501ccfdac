from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from wbc_tf.data.pictures import ImageFolderError
from wbc_tf.data.streams import Derived, Source
from wbc_tf.files.pictures import write_image
from wbc_tf.training.config import TrainingConfig
from wbc_tf.training.data import SAMPLES, FolderData


class _Data(FolderData):
    """A method's data in a few lines."""

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__(config, sides=config.crop_sides)
        self.sources = {"photo": Source(self.sampler(config.photo_dir, "photo"))}
        self.derived = {"negative": Derived("photo", lambda pictures, _: -pictures)}


@pytest.fixture
def config(tmp_path: Path) -> TrainingConfig:
    random = np.random.default_rng(0)
    for number in range(3):
        picture = random.integers(0, 256, [40 + number, 50, 3], dtype=np.uint8)
        write_image(tmp_path / f"{number}.png", picture)
    folder = str(tmp_path)
    return TrainingConfig(photo_dir=folder, cartoon_dir=folder, patch_size=32, batch_size=2)


def test_batches_follow_from_seed_and_step(config: TrainingConfig) -> None:
    unbroken = list(_Data(config).batches(start_step=0).take(3))[2]
    resumed = next(iter(_Data(config).batches(start_step=2)))
    assert unbroken["photo"].shape == (2, 32, 32, 3)
    for name, pictures in unbroken.items():
        np.testing.assert_array_equal(pictures, resumed[name], name)
    np.testing.assert_array_equal(unbroken["negative"], -unbroken["photo"])
    other = next(iter(_Data(dataclasses.replace(config, seed=1)).batches(start_step=2)))
    assert np.abs(other["photo"] - unbroken["photo"]).max() > 0.1


def test_samples_stay_and_need_one_photo_only(config: TrainingConfig) -> None:
    samples = _Data(config).sample_photos()
    assert samples.shape == (SAMPLES, 32, 32, 3)
    np.testing.assert_array_equal(samples, _Data(config).sample_photos())


def test_too_few_pictures_for_a_batch(config: TrainingConfig) -> None:
    with pytest.raises(ImageFolderError, match="at least 4 are needed"):
        _Data(dataclasses.replace(config, batch_size=4))


@pytest.mark.parametrize("name", ["photo_dir", "cartoon_dir"])
def test_a_folder_that_is_not_given_is_said(config: TrainingConfig, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is empty"):
        _Data(dataclasses.replace(config, **{name: ""}))
