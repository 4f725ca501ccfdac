from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.layers.spectral_norm import SpectralNormConv2D


def _layer(*, kernel, bias, u, strides=1, dtype="float32"):
    filters = kernel.shape[-1]
    layer = SpectralNormConv2D(filters, kernel.shape[0], strides=strides, dtype=dtype)
    layer.build([None, None, None, kernel.shape[2]])
    layer.kernel.assign(kernel)
    layer.bias.assign(bias)
    layer.u.assign(u)
    return layer


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_matches_the_authors_layer(shared, wrap):
    """Output, moved u and kernel gradient of the original's graph, u far from converged."""
    golden = np.load(shared / "reference/whitebox/train_step.npz")
    layer = _layer(kernel=golden["sn/kernel"], bias=golden["sn/bias"], u=golden["sn/u"], strides=2)

    @wrap
    def run(x, cotangent):
        with tf.GradientTape() as tape:
            output = layer(x)
        return output, tape.gradient(output, layer.kernel, output_gradients=cotangent)

    output, gradient = run(tf.constant(golden["sn/input"]), tf.constant(golden["sn/cotangent"]))
    for ours, name in ((output, "output"), (layer.u, "u_after"), (gradient, "grad_kernel")):
        theirs = golden[f"sn/{name}"]
        assert np.abs(ours - theirs).max() <= 1e-4 * np.abs(theirs).max(), name


@pytest.mark.parametrize(("name", "strides", "after"), [("sn_s1", 1, 1), ("sn_s2", 2, 0)])
def test_differentiated_through_the_power_iteration_it_matches_animegan_v2(
    shared, name, strides, after
):
    """u is far from converged: with constant vectors the gradients would be others."""
    golden = np.load(shared / "reference/animegan_v2/discriminator.npz")
    layer = SpectralNormConv2D(
        12, 3, strides=strides, padding="valid", use_bias=False, constant_vectors=False
    )
    x = tf.constant(golden[f"{name}/input"])
    layer.build(x.shape)
    layer.kernel.assign(golden[f"{name}/kernel"])
    layer.u.assign(golden[f"{name}/u"])
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layer(tf.pad(x, [[0, 0], [1, after], [1, after], [0, 0]]))
    cotangent = tf.constant(golden[f"{name}/cotangent"])
    gradients = tape.gradient(output, [layer.kernel, x], output_gradients=cotangent)
    found = dict(zip(("grad_kernel", "grad_input"), gradients), output=output, u_after=layer.u)
    for part, ours in found.items():
        theirs = golden[f"{name}/{part}"]
        assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max(), part
    assert [weight.name.split(":")[0] for weight in layer.trainable_weights] == ["kernel"]


def test_gradient_flows_through_sigma():
    """A 1x1 convolution of one channel is a number divided by itself: it cannot be made larger."""
    layer = _layer(kernel=np.full([1, 1, 1, 1], 3.0), bias=np.zeros(1), u=np.ones([1, 1]))
    with tf.GradientTape() as tape:
        output = layer(tf.ones([1, 2, 3, 1]))
    np.testing.assert_allclose(output, 1.0, rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(output, layer.kernel), 0.0, atol=1e-6)


def test_converges_to_the_singular_value_and_leaves_the_kernel_alone():
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=[3, 3, 4, 6]).astype(np.float32)
    bias = rng.normal(size=6).astype(np.float32)
    layer = _layer(kernel=kernel, bias=bias, u=rng.normal(size=[1, 6]))
    images = tf.constant(rng.normal(size=[2, 7, 5, 4]), tf.float32)
    for _ in range(200):
        output = layer(images)
    largest = np.linalg.svd(kernel.reshape(-1, 6), compute_uv=False)[0]
    expected = tf.nn.conv2d(images, kernel / largest, strides=1, padding="SAME") + bias
    np.testing.assert_allclose(output, expected, atol=1e-4)
    np.testing.assert_array_equal(layer.kernel, kernel)


@pytest.mark.filterwarnings("ignore::UserWarning:tensorflow_addons")
def test_agrees_with_tensorflow_addons_once_converged():
    """Its forward pass is the same function; it differs in overwriting the kernel."""
    import tensorflow_addons as tfa

    rng = np.random.default_rng(1)
    theirs = tfa.layers.SpectralNormalization(
        tf.keras.layers.Conv2D(6, 3, strides=2, padding="same"), power_iterations=200
    )
    images = tf.constant(rng.normal(size=[1, 8, 10, 4]), tf.float32)
    theirs.build(images.shape)
    kernel = theirs.layer.kernel.numpy()
    ours = _layer(kernel=kernel, bias=np.zeros(6), u=theirs.u.numpy(), strides=2)
    for _ in range(200):
        output = ours(images)
    np.testing.assert_allclose(output, theirs(images, training=True), atol=1e-5)


def test_sigma_keeps_float32_under_mixed_precision():
    rng = np.random.default_rng(2)
    weights = {
        "kernel": rng.normal(size=[3, 3, 2, 5]).astype(np.float32),
        "bias": np.zeros(5, np.float32),
        "u": rng.normal(size=[1, 5]).astype(np.float32),
    }
    images = tf.constant(rng.normal(size=[1, 6, 4, 2]), tf.float32)
    full, mixed = _layer(**weights), _layer(**weights, dtype="mixed_bfloat16")
    expected, output = full(images), mixed(images)
    assert output.dtype == tf.bfloat16
    np.testing.assert_array_equal(full.u, mixed.u)
    np.testing.assert_allclose(tf.cast(output, tf.float32), expected, atol=0.03)
    assert all(weight.dtype == tf.float32 for weight in mixed.weights)


def test_is_made_again_from_its_config():
    layer = SpectralNormConv2D(
        5,
        3,
        strides=2,
        padding="valid",
        use_bias=False,
        constant_vectors=False,
        kernel_initializer=tf.keras.initializers.RandomNormal(stddev=0.02),
        name="conv",
        dtype="mixed_bfloat16",
    )
    again = SpectralNormConv2D.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
