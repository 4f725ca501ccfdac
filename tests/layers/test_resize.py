from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.layers.resize import resize_aligned, upsample_2x


def _upsample_2x(images: np.ndarray) -> np.ndarray:
    """Corner-origin bilinear sampling, from its definition: output i reads input i / 2."""
    for axis in (1, 2):
        size = images.shape[axis]
        position = np.arange(2 * size) / 2
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, size - 1)
        weight = (position - low).reshape([-1 if a == axis else 1 for a in range(4)])
        images = images.take(low, axis) * (1 - weight) + images.take(high, axis) * weight
    return images


def test_a_ramp_goes_on_in_half_steps_from_the_corner() -> None:
    ramp = np.arange(5, dtype=np.float32).reshape(1, 1, 5, 1)
    expected = [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4]  # the last one repeats
    np.testing.assert_array_equal(upsample_2x(ramp)[0, 0, :, 0], expected)
    np.testing.assert_array_equal(upsample_2x(ramp)[0, 1, :, 0], expected)


@pytest.mark.parametrize("shape", [(2, 3, 7, 4), (1, 5, 2, 1), (1, 1, 1, 3), (1, 8, 8, 2)])
def test_equals_the_definition(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    doubled = upsample_2x(images)
    assert doubled.shape == (shape[0], 2 * shape[1], 2 * shape[2], shape[3])
    np.testing.assert_allclose(doubled, _upsample_2x(images), atol=1e-6)


def test_is_not_the_half_pixel_resize_of_tensorflow_2() -> None:
    images = np.random.default_rng(1).normal(size=(1, 4, 6, 1)).astype(np.float32)
    other = tf.image.resize(images, [8, 12], method="bilinear")
    assert np.abs(upsample_2x(images) - other).max() > 0.1


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32])
def test_the_type_is_kept(dtype: tf.DType) -> None:
    # Small integers and their halves are exact in all three.
    images = tf.cast(np.random.default_rng(2).integers(-8, 8, (1, 3, 4, 2)), dtype)
    doubled = upsample_2x(images)
    assert doubled.dtype == dtype
    expected = _upsample_2x(tf.cast(images, tf.float64).numpy())
    np.testing.assert_array_equal(tf.cast(doubled, tf.float64), expected)


def test_a_graph_of_unknown_size_equals_eager() -> None:
    images = np.random.default_rng(3).normal(size=(1, 3, 5, 2)).astype(np.float32)
    graph = tf.function(upsample_2x, input_signature=[tf.TensorSpec([None, None, None, 2])])
    np.testing.assert_array_equal(graph(images), upsample_2x(images))


def test_a_graph_of_known_size_knows_its_result() -> None:
    graph = tf.function(upsample_2x).get_concrete_function(tf.TensorSpec([None, 6, None, 3]))
    assert graph.structured_outputs.shape.as_list() == [None, 12, None, 3]


def test_the_gradient_hands_each_input_its_share() -> None:
    images = tf.zeros([1, 2, 3, 1])
    with tf.GradientTape() as tape:
        tape.watch(images)
        loss = tf.reduce_sum(upsample_2x(images))
    gradient = tape.gradient(loss, images)[0, ..., 0].numpy()
    # By rows: the first is read whole once and half once, the last whole twice and half once.
    np.testing.assert_allclose(gradient, np.outer([1.5, 2.5], [1.5, 2, 2.5]))


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_aligned_corners_equal_the_torch_figures(shared, wrap) -> None:
    with np.load(shared / "reference/cartoongan/losses.npz") as figures:
        resized = wrap(resize_aligned)(figures["vgg_rgb"], 28, 28)
        np.testing.assert_allclose(resized, figures["vgg_resized_rgb"], atol=1e-5)
        corners = np.ix_([0, 1], [0, -1], [0, -1])
        np.testing.assert_allclose(resized.numpy()[corners], figures["vgg_rgb"][corners], atol=1e-6)
