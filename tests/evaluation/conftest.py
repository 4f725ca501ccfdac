"""What stands in for weights that nobody has here."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """InceptionV3's own file format with random weights: 22 million, so once for all tests."""
    tf.keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("inception") / "random_notop.h5"
    tf.keras.applications.InceptionV3(include_top=False, weights=None).save_weights(path)
    return path
