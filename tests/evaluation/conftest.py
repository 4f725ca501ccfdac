"""What stands in for weights that nobody has here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.evaluation import metrics
from wbc_tf.files.pictures import write_image


class Colours:
    """In place of Inception, whose weights are not on this machine: each picture's mean colour."""

    md5 = "0" * 32

    def __init__(self, weights: str) -> None:
        self.weights = weights

    def __call__(self, pictures):
        return np.array([picture.mean(axis=(0, 1)) for picture in pictures])


@pytest.fixture
def picture_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Five pictures of each kind; the cartoons are named as their photos are."""
    monkeypatch.setattr(metrics, "InceptionFeatures", Colours)
    random = np.random.default_rng(0)
    folders = {}
    for label, extension in (("generated", "png"), ("reference", "png"), ("photos", "bmp")):
        folder = tmp_path / label
        folder.mkdir()
        folders[label] = str(folder)
        for i in range(5):
            picture = random.integers(0, 256, [24 + i, 33, 3], dtype=np.uint8)
            write_image(folder / f"{i}.{extension}", picture)
    return folders


@pytest.fixture(scope="session")
def inception() -> tf.keras.Model:
    """Keras' InceptionV3 with random weights: 22 million, so once for all tests."""
    tf.keras.utils.set_random_seed(0)
    return tf.keras.applications.InceptionV3(include_top=False, weights=None)


@pytest.fixture(scope="session")
def inception_weights(inception: tf.keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in its own file format."""
    path = tmp_path_factory.mktemp("inception") / "random_notop.h5"
    inception.save_weights(path)
    return path
