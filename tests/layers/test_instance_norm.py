from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.layers.instance_norm import EPSILON, instance_norm

X = np.random.default_rng(0).normal(3, 2, [2, 5, 9, 4]).astype(np.float32)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_each_picture_and_channel_by_its_own_statistics(wrap):
    layer = instance_norm("norm", tf.keras.initializers.Constant(2.0))
    layer.build(X.shape)
    layer.beta.assign([1.0, 2.0, 3.0, 4.0])
    result = wrap(layer)(tf.constant(X))
    centred = X - X.mean((1, 2), keepdims=True)
    deviation = np.sqrt(X.var((1, 2), keepdims=True) + EPSILON)
    np.testing.assert_allclose(result, 2 * centred / deviation + [1, 2, 3, 4], atol=1e-5)


def test_a_channel_without_variance_is_scaled_by_the_epsilon():
    x = np.zeros([1, 2, 2, 1], np.float32)
    x[0, 0, 0] = 4e-3  # a variance of 3e-6, less than the epsilon
    np.testing.assert_allclose(instance_norm("norm")(x)[0, 0, 0, 0], 3e-3 / np.sqrt(1.3e-5), 1e-4)


def test_half_precision_is_normalised_in_float32():
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        layer = instance_norm("norm")
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
    result = layer(tf.cast(X * 1000, tf.float16))  # squares beyond 65504
    assert result.dtype == tf.float32
    np.testing.assert_allclose(result, instance_norm("norm")(X * 1000), atol=5e-3)
