"""The published Hayao generator, and the figures of the reference folder turned from BGR to RGB."""

from __future__ import annotations

import numpy as np
import pytest


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
