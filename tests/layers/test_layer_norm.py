from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.layers.layer_norm import LayerNorm

RNG = np.random.default_rng(0)


def _layer_norm(images: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """From the definition, in float64."""
    images = images.astype(np.float64)
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    deviation = np.sqrt(images.var(axis=(1, 2, 3), keepdims=True) + 1e-12)
    return (images - mean) / deviation * gamma + beta


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_equals_the_definition(wrap) -> None:
    images = RNG.normal(3, 2, size=[2, 5, 7, 4]).astype(np.float32)
    gamma, beta = RNG.normal(size=(2, 4)).astype(np.float32)
    layer = LayerNorm()
    layer.build(images.shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    np.testing.assert_allclose(wrap(layer)(images), _layer_norm(images, gamma, beta), atol=1e-5)


def test_a_faint_picture_is_normalised_too() -> None:
    """Its variance of 1e-8 would vanish beside Keras' epsilon of 1e-3, and shrink beside 1e-5."""
    images = 1e-4 * RNG.normal(size=[1, 6, 9, 3]).astype(np.float32)
    normalised = LayerNorm()(images).numpy()
    np.testing.assert_allclose(normalised.std(), 1.0, rtol=1e-3)


def test_stays_in_float32_under_mixed_precision() -> None:
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        layer = LayerNorm()
        # float16 ends at 65504: the sum of these squares would be infinite.
        normalised = layer(tf.fill([1, 4, 6, 2], tf.constant(300.0, tf.float16)))
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
    assert normalised.dtype == tf.float32
    np.testing.assert_array_equal(normalised, 0.0)


def test_is_made_again_from_its_config() -> None:
    layer = LayerNorm(name="norm")
    assert LayerNorm.from_config(layer.get_config()).get_config() == layer.get_config()


def test_a_lite_model_keeps_its_digits() -> None:
    """TensorFlow Lite adds one number after the other: 2 million of them, in float32."""
    images = np.random.default_rng(1).uniform(0, 1, [1, 256, 512, 16]).astype(np.float32)
    layer = LayerNorm()
    layer.build(images.shape)
    graph = tf.function(layer, input_signature=[tf.TensorSpec(images.shape)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [graph.get_concrete_function()], layer
    )
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images)
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(found, layer(images), atol=2e-5)
