from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.weights import named_variables
from wbc_tf.files.pictures import read_rgb
from wbc_tf.images import to_float
from wbc_tf.methods.cartoongan.convert import NAMES
from wbc_tf.methods.cartoongan.generator import (
    SIZE_MULTIPLE,
    ConvNorm,
    Generator,
    ResidualBlock,
    UpConv2D,
    build_generator,
    kernel_start,
    scale_start,
)

# Three of the six that there are figures for: the others show nothing else.
PICTURES = ("china6", "liuyifei4", "national_park1")


@pytest.fixture(scope="module")
def golden(figures):
    """By the published PyTorch network in float64; the tolerances are the figures' own."""
    return figures("generator.npz")


@pytest.fixture(scope="module")
def tiny():
    tf.random.set_seed(1)
    return build_generator(channels=4, blocks=1)


def _random(*shape):
    return tf.random.stateless_uniform(shape, seed=(0, 1), minval=-1, maxval=1)


def test_has_the_published_number_of_parameters():
    assert build_generator().count_params() == 11_129_667 - 5_315  # all but the biases


def test_every_stage_equals_the_published_network(hayao, golden):
    photo = golden["input"]
    np.testing.assert_allclose(hayao.stem(photo)[1:], golden["enc1"], rtol=0, atol=2e-5)
    features = hayao.encode(photo)
    np.testing.assert_allclose(features, golden["enc3"], rtol=0, atol=1e-4)
    features = hayao.blocks[0](features)
    np.testing.assert_allclose(features, golden["res1"], rtol=0, atol=1e-4)
    for block in hayao.blocks[1:]:
        features = block(features)
    np.testing.assert_allclose(features, golden["res8"], rtol=0, atol=5e-4)
    half = hayao.merge_half(hayao.up_half(features))
    np.testing.assert_allclose(half[1:], golden["dec1"], rtol=0, atol=5e-4)
    output = hayao.decode(features)
    np.testing.assert_allclose(output, golden["output"], rtol=0, atol=5e-5)
    # The bound tells the published epsilon from the PyTorch script's 1e-9.
    assert np.abs(output - golden["output_eps1e9"]).max() > 5e-4


def test_an_odd_size_is_rounded_up_to_a_multiple_of_four(hayao, golden):
    graph = tf.function(hayao, input_signature=[tf.TensorSpec([None, None, None, 3])])
    for run in (hayao, graph):
        output = run(golden["odd_input"])
        assert output.shape == (1, 48, 60, 3)
        np.testing.assert_allclose(output, golden["odd_output"], rtol=0, atol=5e-5)


def test_gradients_have_the_published_norms(hayao, golden):
    photo = tf.constant(golden["input"])
    variables = named_variables(hayao)
    names = list(golden["grad_names"])
    with tf.GradientTape() as tape:
        tape.watch(photo)
        loss = tf.reduce_mean(hayao(photo) ** 2)
    of = [photo if name == "input" else variables[NAMES[name]] for name in names]
    norms = [np.linalg.norm(gradient) for gradient in tape.gradient(loss, of)]
    np.testing.assert_allclose(loss, golden["grad_loss"], rtol=1e-5)
    np.testing.assert_allclose(norms, golden["grad_norms"], rtol=1e-3)


def _truncated(output):
    """As the published programs write pictures; ours round, see `wbc_tf.images`."""
    levels = (np.asarray(output, np.float32) * np.float32(0.5) + np.float32(0.5)) * np.float32(255)
    return np.clip(levels, 0, 255).astype(np.uint8)


def _assert_same_picture(ours, theirs):
    difference = np.abs(ours.astype(int) - theirs)
    assert difference.max() <= 1
    assert np.mean(difference == 0) >= 0.995


@pytest.mark.parametrize("name", PICTURES)
def test_equals_the_published_cartoon(hayao, cartoongan, name):
    photo = to_float(read_rgb(cartoongan / "inputs" / f"{name}.png"))
    expected = read_rgb(cartoongan / "cartoons_hayao" / f"{name}.png")
    _assert_same_picture(_truncated(hayao(photo[None])[0]), expected)


def _resized(picture, size, *, axis):
    """Linear, corners on corners."""
    old = picture.shape[axis]
    place = np.linspace(0, old - 1, size)
    before = np.minimum(place.astype(int), old - 2)
    part = np.expand_dims(place - before, (1, 2) if axis == 0 else (0, 2))
    first, second = (np.take(picture, before + i, axis) for i in (0, 1))
    return (first + part * (second - first)).astype(np.float32)


@pytest.mark.parametrize("name", ["in1", "in2"])
def test_equals_what_the_authors_published_in_2018(hayao, cartoongan, name):
    """Their script enlarges to 450 pixels, bilinearly with aligned corners, and not to bytes."""
    photo = read_rgb(cartoongan / "published" / f"{name}.png").astype(np.float32) / 255
    height, width = (int(side * 450 / max(photo.shape)) for side in photo.shape[:2])
    large = _resized(_resized(photo, height, axis=0), width, axis=1)
    expected = read_rgb(cartoongan / "published" / f"{name}_hayao.png")
    output = _truncated(hayao(2 * large[None] - 1)[0])
    _assert_same_picture(output[: expected.shape[0], : expected.shape[1]], expected)


def test_bfloat16_stays_close_where_the_statistics_are_in_float32(hayao, cartoongan):
    mixed = build_generator(dtype=tf.keras.mixed_precision.Policy("mixed_bfloat16"))
    mixed.set_weights(hayao.get_weights())
    photo = to_float(read_rgb(cartoongan / "inputs" / "china6.png"))[None, :160, :200]
    assert mixed.encode(photo).dtype == tf.float32
    output = mixed(photo)
    assert output.dtype == tf.float32
    # Convolutions alone in bfloat16 cost 0.2 grey levels on average; with the norms, 37.
    assert np.abs(output - hayao(photo)).mean() < 0.5 / 127.5


def test_every_weight_has_a_gradient(tiny):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tiny(_random(1, 16, 24, 3)) ** 2)
    for variable, gradient in zip(
        tiny.trainable_variables, tape.gradient(loss, tiny.trainable_variables)
    ):
        assert np.abs(gradient).max() > 0, variable.name


def test_the_config_makes_the_same_network(tiny):
    assert isinstance(tiny, Generator)
    again = build_generator(**tiny.get_config())
    assert [v.shape for v in again.variables] == [v.shape for v in tiny.variables]


def test_starts_as_the_authors_do():
    tf.random.set_seed(0)
    kernel, scale = kernel_start()([3, 3, 64, 64]), scale_start()([4096])
    np.testing.assert_allclose(np.std(kernel), 0.02, rtol=0.02)
    assert 0 <= np.min(scale) < 0.01 < 0.99 < np.max(scale) <= 1
    block = ConvNorm(8, 3, mode="REFLECT")
    block(_random(1, 8, 8, 3))
    assert np.min(block.norm.gamma) < 0.5 < np.max(block.norm.gamma)
    np.testing.assert_array_equal(block.norm.beta, 0)


def test_a_residual_block_with_a_silent_second_part_is_the_identity():
    block = ResidualBlock(6)
    x = _random(1, 5, 7, 6)
    assert np.abs(block(x) - x).max() > 1e-3
    block.second.norm.gamma.assign(tf.zeros([6]))
    np.testing.assert_array_equal(block(x), x)  # and no activation follows: x has both signs


def test_a_transposed_convolution_is_aligned_at_the_second_pixel():
    """Torch's padding 1, output padding 1: input pixel i lies at the kernel's centre at 2i."""
    layer = UpConv2D(1)
    x = np.zeros([1, 3, 4, 1], np.float32)
    x[0, 1, 2] = 1
    layer.build(x.shape)
    kernel = np.arange(9, dtype=np.float32).reshape(3, 3, 1, 1)
    layer.kernel.assign(kernel)
    expected = np.zeros([3 * 2, 4 * 2], np.float32)
    expected[1:4, 3:6] = kernel[..., 0, 0]
    np.testing.assert_array_equal(layer(x)[0, ..., 0], expected)


def test_sides_are_kept_when_they_fit(tiny):
    assert tiny(_random(2, SIZE_MULTIPLE * 3, SIZE_MULTIPLE * 2, 3)).shape == (2, 12, 8, 3)
