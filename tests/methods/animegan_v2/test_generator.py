from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.weights import named_variables
from wbc_tf.layers.resize import upsample_2x
from wbc_tf.methods.animegan_v2.generator import (
    GENERATORS,
    LEAST_SIDE,
    Bottleneck,
    ConvNorm,
    FullGenerator,
    Generator,
    InvertedResidual,
    LiteGenerator,
    build_generator,
)

# As recommended beside the figures: what is left is the order of float32 sums, 1e-5 at most. New
# resizing, a border on the other side or another norm cost 0.02 to 2.
TOLERANCE = 5e-5


@pytest.mark.parametrize(
    ("network", "kind", "count"),
    [("full", FullGenerator, 2_143_552), ("lite", LiteGenerator, 698_240)],
)
def test_has_the_published_number_of_weights(network: str, kind: type, count: int) -> None:
    generator = build_generator(network)
    assert isinstance(generator, kind)
    assert generator.count_params() == count
    again = build_generator(**generator.get_config())
    assert [v.shape for v in again.variables] == [v.shape for v in generator.variables]
    assert GENERATORS.keys() == {"full", "lite"}


def test_the_full_one_equals_the_authors_graph(hayao: FullGenerator, animegan: Path) -> None:
    golden = np.load(animegan / "generator.npz")
    output = hayao(golden["input"])
    assert output.dtype == tf.float32
    np.testing.assert_allclose(output, golden["output"], rtol=0, atol=TOLERANCE)

    x = golden["input"][:1]
    stages = {}
    for name, layers in (("A", hayao.block_a), ("B", hayao.block_b)):
        for layer in layers:
            x = layer(x)
        stages[name] = x
    for layer, name in zip(hayao.block_c, ("c_1", "C_r1", "C_r2", "c_r3", "c_r4", "C")):
        x = layer(x)
        stages[name] = x
    for name, layers in (("D", hayao.block_d), ("E", hayao.block_e)):
        x = upsample_2x(x)
        for layer in layers:
            x = layer(x)
        stages[name] = x
    theirs = [key for key in golden.files if key.startswith("stage_") and "mean" not in key]
    assert len(theirs) == 7
    for key in theirs:
        np.testing.assert_allclose(
            stages[key[6:]], golden[key], rtol=0, atol=TOLERANCE, err_msg=key
        )
    np.testing.assert_allclose(hayao.to_rgb(x), golden["logits"][:1], rtol=0, atol=TOLERANCE)


def test_the_small_one_equals_the_authors_graph(lite: LiteGenerator, animegan: Path) -> None:
    golden = np.load(animegan / "generator_lite.npz")
    output = lite(golden["input"])
    np.testing.assert_allclose(output, golden["output"], rtol=0, atol=TOLERANCE)

    full = lite.stem(golden["input"][:1])
    half = lite.conv_half(lite.down_half(full))
    quarter = lite.conv_quarter(lite.down_quarter(half))
    eighth = lite.conv_eighth(lite.down_eighth(quarter))
    stages = {"down1": half, "down2": quarter, "down3": eighth}
    x = eighth
    for number, block in enumerate(lite.residuals, start=1):
        x = block(x)
        stages[f"res{number}"] = x
    for key in (key for key in golden.files if key.startswith("stage_") and "up" not in key):
        np.testing.assert_allclose(
            stages[key[6:]], golden[key], rtol=0, atol=TOLERANCE, err_msg=key
        )


@pytest.mark.parametrize("network", ["full", "lite"])
def test_a_graph_of_unknown_size_equals_eager(network: str, request: pytest.FixtureRequest) -> None:
    generator: Generator = request.getfixturevalue({"full": "hayao", "lite": "lite"}[network])
    photo = tf.random.stateless_uniform([1, 40, 64, 3], [1, 2], -1, 1)
    graph = tf.function(generator, input_signature=[tf.TensorSpec([None, None, None, 3])])
    np.testing.assert_allclose(graph(photo), generator(photo), rtol=0, atol=TOLERANCE)


def test_a_batch_equals_its_pictures_one_by_one(hayao: Generator, animegan: Path) -> None:
    photos = np.load(animegan / "generator.npz")["input"]
    together = hayao(photos)
    for index, photo in enumerate(photos):
        np.testing.assert_allclose(together[index], hayao(photo[None])[0], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("network", ["full", "lite"])
def test_every_weight_has_a_gradient(network: str) -> None:
    tf.random.set_seed(3)
    generator = build_generator(network)
    photo = tf.random.stateless_uniform([1, LEAST_SIDE, 24, 3], [2, 3], -1, 1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((generator(photo) - photo) ** 2)
    variables = named_variables(generator)
    for name, gradient in tape.gradient(loss, variables).items():
        # The norm behind it takes every constant away again, and with it the channels' biases.
        assert gradient is not None, name
        assert np.isfinite(gradient).all(), name
        assert np.abs(gradient).max() > 0, name


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_answers_in_float32_and_close_by(
    hayao: Generator, animegan: Path, policy: str
) -> None:
    golden = np.load(animegan / "generator.npz")
    mixed = build_generator("full", dtype=tf.keras.mixed_precision.Policy(policy))
    mixed.set_weights(hayao.get_weights())
    output = mixed(golden["input"][:1])
    assert output.dtype == tf.float32
    assert {variable.dtype for variable in mixed.variables} == {tf.float32}
    # bfloat16 keeps 8 bits: on average within four grey levels of 127.5.
    assert np.abs(output - golden["output"][:1]).mean() < 4 / 127.5


def test_first_weights_have_the_authors_deviation() -> None:
    """sqrt(2.6 / fan in), cut off at two deviations, which leaves 0.88 of it."""
    tf.random.set_seed(0)
    full = named_variables(build_generator("full"))
    for name, fan_in in (
        ("d_1/conv/kernel", 9 * 128),
        ("c_residual_2/depthwise/conv/depthwise_kernel", 9 * 512),
    ):
        kernel = full[name].numpy()
        deviation = np.sqrt(2.6 / fan_in)
        np.testing.assert_allclose(kernel.std(), 0.8796 * deviation, rtol=0.03)
        assert np.abs(kernel).max() <= 2.001 * deviation
    first, second = (full[f"d_{i}/conv/kernel"].numpy() for i in (1, 2))
    assert np.abs(first - second).max() > 0.01


@pytest.mark.parametrize(("kernel_size", "strides"), [(3, 1), (3, 2), (7, 1), (1, 1)])
def test_a_block_pads_by_reflection_and_keeps_the_size(kernel_size: int, strides: int) -> None:
    """A kernel that only reads its window's last corner shows where the border lies."""
    block = ConvNorm(1, kernel_size, strides=strides, activation=False)
    x = tf.reshape(tf.range(48, dtype=tf.float32), [1, 6, 8, 1])
    block(x)
    kernel = np.zeros([kernel_size, kernel_size, 1, 1], np.float32)
    kernel[-1, -1] = 1
    block.conv.kernel.assign(kernel)
    reach = kernel_size // 2 if strides == 1 else kernel_size - 1
    picked = np.pad(x[0, :, :, 0], (0, reach), mode="reflect")[reach:, reach:][::strides, ::strides]
    expected = (picked - picked.mean()) / picked.std()
    np.testing.assert_allclose(block(x)[0, :, :, 0], expected, atol=1e-5)


def test_the_residual_blocks_add_their_input_and_nothing_follows() -> None:
    x = tf.random.stateless_normal([1, 5, 7, 6], [4, 5])
    inverted, bottleneck = InvertedResidual(6, 6), Bottleneck(6, 3)
    for block, last in ((inverted, "project"), (bottleneck, "restore")):
        assert np.abs(block(x) - x).max() > 1e-3
        layer = getattr(block, last)
        silent = layer.norm.gamma if last == "project" else layer.kernel
        silent.assign(tf.zeros_like(silent))
        np.testing.assert_array_equal(block(x), x)
    wider = InvertedResidual(6, 8)
    assert wider(x).shape == (1, 5, 7, 8)  # no sum: the channels differ


def test_sides_that_do_not_fit_are_an_error_and_not_another_picture(lite: Generator) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        lite(tf.zeros([1, 44, 32, 3]))
