"""Small runs: a few made-up pictures, and settings under which a step takes a moment."""

from __future__ import annotations

import numpy as np
import pytest

from wbc_tf.files.pictures import write_image
from wbc_tf.methods.white_box.config import WhiteBoxConfig


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Photos and cartoons: noisy and blocky pictures, of several sizes."""
    root = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for name, block in (("photo", 4), ("cartoon", 16)):
        (root / name).mkdir()
        for i in range(5):
            cells = random.integers(0, 256, [6 + i, 5, 3], dtype=np.uint8)
            picture = cells.repeat(64 // block, axis=0).repeat(64 // block, axis=1)
            write_image(root / name / f"{i}.png", picture)
    return root


@pytest.fixture(scope="session")
def tiny_config(folders):
    """Makes a config for a tiny run; keyword arguments override it."""

    def make(**changes):
        settings = {
            "photo_dir": str(folders / "photo"),
            "cartoon_dir": str(folders / "cartoon"),
            "patch_size": 32,
            "batch_size": 2,
            "seed": 5,
            "pretrain_steps": 3,
            "steps": 3,
            "vgg": "vgg19",
            "vgg_layer": "block2_conv1",
            "vgg_weights": "random",
            **changes,
        }
        return WhiteBoxConfig(**settings)

    return make
