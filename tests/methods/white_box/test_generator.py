from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.exported import load_generator
from wbc_tf.layers.guided_filter import guided_filter
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.methods.white_box.generator import (
    SIZE_MULTIPLE,
    Generator,
    ResidualBlock,
    build_generator,
)

# The goldens come from the authors' graph run on the same weights (train_step.npz, BGR). What is
# left between the two is the order of float32 sums through 18 convolutions.
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def step(reference: Path) -> dict[str, np.ndarray]:
    """The authors' training step, turned to RGB."""
    with np.load(reference / "train_step.npz") as file:
        return {
            name: file[name][..., ::-1] for name in ("photo", "generator_raw", "generator_output")
        }


@pytest.fixture(scope="module")
def authors(authors_model: Path) -> Generator:
    return load_generator(EXPORTED, authors_model)


@pytest.fixture(scope="module")
def tiny() -> Generator:
    tf.random.set_seed(1)
    return build_generator(channels=4, blocks=1)


def test_has_the_released_number_of_parameters() -> None:
    assert build_generator().count_params() == 1_467_075


def test_equals_the_authors_graph(authors: Generator, step: dict[str, np.ndarray]) -> None:
    raw = authors(step["photo"])
    assert raw.dtype == tf.float32
    np.testing.assert_allclose(raw, step["generator_raw"], rtol=0, atol=TOLERANCE)


def test_with_its_guided_filter_equals_the_authors_graph(
    authors: Generator, step: dict[str, np.ndarray]
) -> None:
    output = guided_filter(step["photo"], authors(step["photo"]), radius=1, eps=1e-2)
    np.testing.assert_allclose(output, step["generator_output"], rtol=0, atol=TOLERANCE)


def test_is_not_the_authors_graph_in_bgr(authors: Generator, step: dict[str, np.ndarray]) -> None:
    wrong = authors(step["photo"][..., ::-1])[..., ::-1]
    assert np.abs(wrong - step["generator_raw"]).max() > 100 * TOLERANCE


def test_a_graph_of_unknown_size_equals_eager(
    authors: Generator, step: dict[str, np.ndarray]
) -> None:
    graph = tf.function(authors, input_signature=[tf.TensorSpec([None, None, None, 3])])
    np.testing.assert_allclose(graph(step["photo"]), authors(step["photo"]), rtol=0, atol=TOLERANCE)
    wide = step["photo"][:, :40]
    np.testing.assert_allclose(graph(wide), authors(wide), rtol=0, atol=TOLERANCE)


def test_a_batch_equals_its_pictures_one_by_one(
    authors: Generator, step: dict[str, np.ndarray]
) -> None:
    together = authors(step["photo"])
    for index, photo in enumerate(step["photo"]):
        np.testing.assert_allclose(together[index], authors(photo[None])[0], atol=TOLERANCE)


@pytest.mark.parametrize("size", [(4, 4), (4, 64), (36, 8), (64, 1000)])
def test_keeps_the_size(tiny: Generator, size: tuple[int, int]) -> None:
    raw = tiny(tf.random.stateless_uniform([2, *size, 3], seed=(0, 1), minval=-1, maxval=1))
    assert raw.shape == (2, *size, 3)
    assert np.isfinite(raw).all()


def test_sides_that_do_not_fit_are_an_error_and_not_another_picture(tiny: Generator) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        tiny(tf.zeros([1, SIZE_MULTIPLE + 1, SIZE_MULTIPLE, 3]))


def test_every_weight_has_a_gradient(tiny: Generator) -> None:
    photo = tf.random.stateless_uniform([1, 16, 24, 3], seed=(2, 3), minval=-1, maxval=1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tiny(photo) ** 2)
    for variable, gradient in zip(
        tiny.trainable_variables, tape.gradient(loss, tiny.trainable_variables)
    ):
        assert gradient is not None, variable.name
        assert np.isfinite(gradient).all(), variable.name
        assert np.abs(gradient).max() > 0, variable.name


def test_the_config_makes_the_same_network(tiny: Generator) -> None:
    assert {"channels": 4, "blocks": 1}.items() <= tiny.get_config().items()
    again = build_generator(**tiny.get_config())
    assert [v.shape for v in again.variables] == [v.shape for v in tiny.variables]


def test_mixed_precision_answers_in_float32_and_close_by(
    authors: Generator, step: dict[str, np.ndarray]
) -> None:
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        mixed = build_generator()
        mixed.set_weights(authors.get_weights())
        raw = mixed(step["photo"])
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
    assert raw.dtype == tf.float32
    # bfloat16 keeps 8 bits: on average within two grey levels of 127.5.
    assert np.abs(raw - step["generator_raw"]).mean() < 2 / 127.5


def test_a_residual_block_with_silent_convolutions_is_the_identity() -> None:
    block = ResidualBlock(6)
    x = tf.random.stateless_normal([1, 5, 7, 6], seed=(4, 5))
    assert np.abs(block(x) - x).max() > 1e-3
    block.conv2.kernel.assign(tf.zeros_like(block.conv2.kernel))
    np.testing.assert_array_equal(block(x), x)  # and no activation follows: x has both signs
