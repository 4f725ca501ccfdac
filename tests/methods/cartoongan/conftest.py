"""The published Hayao generator, and the figures of the reference folder turned from BGR to RGB."""

from __future__ import annotations

import numpy as np
import pytest

from wbc_tf.methods.cartoongan.config import CartoonGanConfig


@pytest.fixture(scope="session")
def cartoongan(shared):
    return shared / "reference" / "cartoongan"


@pytest.fixture(scope="session")
def hayao(cartoongan):
    """The published generator, converted."""
    from wbc_tf.methods.cartoongan.convert import generator_from_arrays

    with np.load(cartoongan / "weights_hayao.npz") as file:
        return generator_from_arrays(file, source="weights_hayao.npz")


@pytest.fixture(scope="session")
def figures(cartoongan):
    """Reads a file of figures; pictures, which it has in BGR, become RGB."""

    def read(name):
        with np.load(cartoongan / name) as file:
            return {
                key: file[key][..., ::-1] if file[key].shape[-1:] == (3,) else file[key]
                for key in file.files
            }

    return read


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
            "steps": 6,
            "learning_rate": 1e-3,
            "channels": 4,
            "blocks": 1,
            "discriminator_channels": 4,
            "image_pool": 2,
            "vgg_layer": "block2_conv1",
            "vgg_size": 28,
            "vgg_weights": "random",
            **changes,
        }
        return CartoonGanConfig(**settings)

    return make
