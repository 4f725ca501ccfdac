from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.exported import WHOLE
from wbc_tf.methods.cartoongan.exported import EXPORTED, bytes_per_pixel, coefficients
from wbc_tf.methods.cartoongan.generator import build_generator


@pytest.fixture(scope="module")
def tiny():
    tf.random.set_seed(2)
    return build_generator(channels=4, blocks=1)


def _photo(*size):
    return tf.random.stateless_uniform([*size, 3], [0, 1], -1, 1)


@pytest.mark.parametrize("size", [(1, 12, 16), (2, 13, 18)])
def test_at_delta_0_the_cartoon_is_what_the_network_drew(tiny, size):
    photo = _photo(*size)
    scale, offset = coefficients(tiny, photo, delta=0.0)
    drawn = tiny(photo)[:, : size[1], : size[2]]
    np.testing.assert_allclose(scale * photo + offset, drawn, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (3, 20), (7, 9)])
def test_a_picture_of_a_few_pixels_has_a_cartoon_too(tiny, size):
    for part in coefficients(tiny, _photo(1, *size)):
        assert part.shape == (1, *size, 3)
        assert np.isfinite(part).all()


def test_it_sees_the_whole_picture_and_wider_networks_take_more_memory(tiny):
    assert EXPORTED.metadata(tiny)["reach"] == WHOLE
    assert bytes_per_pixel(tiny) < bytes_per_pixel(build_generator(channels=8, blocks=1))
