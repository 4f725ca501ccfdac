from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.layers.padded_conv import PaddedConv2D


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
@pytest.mark.parametrize(("mode", "numpy_mode"), [("REFLECT", "reflect"), ("CONSTANT", "constant")])
def test_each_value_is_the_sum_over_its_padded_window(mode, numpy_mode, wrap):
    x = np.random.default_rng(0).normal(size=[1, 6, 9, 2]).astype(np.float32)
    layer = PaddedConv2D(4, 3, strides=2, borders=(0, 1), mode=mode)
    result = wrap(layer)(tf.constant(x))
    padded = np.pad(x, [(0, 0), (0, 1), (0, 1), (0, 0)], mode=numpy_mode)
    expected = np.stack(
        [
            [np.tensordot(padded[0, r : r + 3, c : c + 3], layer.kernel, 3) for c in (0, 2, 4, 6)]
            for r in (0, 2, 4)
        ]
    )
    np.testing.assert_allclose(result[0], expected, atol=1e-5)
    assert [weight.shape for weight in layer.weights] == [(3, 3, 2, 4)]  # no bias


def test_by_default_both_ends_are_padded_alike():
    x = np.zeros([1, 8, 12, 1], np.float32)
    x[0, 1, 1] = 1
    layer = PaddedConv2D(1, 7, strides=2, kernel_initializer="ones")
    assert layer(x).shape == (1, 4, 6, 1)
    assert float(layer(x)[0, 0, 0, 0]) == 1
    assert float(layer(x)[0, 3, 5, 0]) == 0
