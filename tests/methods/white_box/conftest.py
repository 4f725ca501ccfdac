"""Small runs: settings under which a step takes a moment."""

from __future__ import annotations

import pytest

from wbc_tf.methods.white_box.config import WhiteBoxConfig


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
