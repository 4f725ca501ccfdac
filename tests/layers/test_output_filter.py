from __future__ import annotations

import numpy as np
import tensorflow as tf

from wbc_tf.layers.guided_filter import guided_filter
from wbc_tf.layers.output_filter import cartoon_coefficients


def test_the_network_gets_sides_that_it_takes_and_the_result_has_the_photos() -> None:
    sizes = []

    def network(photo: tf.Tensor) -> tf.Tensor:
        sizes.append(tuple(photo.shape[1:3]))
        return 0.5 - photo

    photo = np.random.default_rng(0).uniform(-1, 1, [2, 5, 9, 3]).astype(np.float32)
    settings = {"size_multiple": 4, "least_side": 7}
    for strength, delta in ((1.0, 1.0), (1.0, 0.0), (0.4, 0.5)):
        scale, offset = cartoon_coefficients(network, photo, strength, delta, **settings)
        drawn = 0.5 - photo
        smooth = guided_filter(photo, drawn, radius=1, eps=5e-3)  # as released for inference
        filtered = delta * smooth + (1 - delta) * drawn  # equation 9
        expected = photo + strength * (filtered - photo)
        np.testing.assert_allclose(scale * photo + offset, expected, atol=1e-5)
    assert set(sizes) == {(8, 12)}


def test_a_size_that_the_network_takes_is_not_padded() -> None:
    sizes = []

    def network(photo: tf.Tensor) -> tf.Tensor:
        sizes.append(tuple(photo.shape[1:3]))
        return photo

    cartoon_coefficients(network, tf.zeros([1, 11, 7, 3]), 1.0, 1.0)
    assert sizes == [(11, 7)]
