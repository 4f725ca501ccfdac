from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.layers.guided_filter import (
    GuidedFilter,
    adjusted,
    box_mean,
    guided_filter,
    guided_filter_coefficients,
)

RNG = np.random.default_rng(0)


def _box_mean(image: np.ndarray, radius: int) -> np.ndarray:
    """Window by window, in float64: [H, W, C]."""
    mean = np.empty(image.shape)
    for y, x in np.ndindex(*image.shape[:2]):
        window = image[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1]
        mean[y, x] = window.mean(axis=(0, 1))
    return mean


def _guided_filter(guide: np.ndarray, target: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """He et al. as they state it: a least-squares line in each window, then the lines averaged."""
    scale, offset = np.empty(guide.shape), np.empty(guide.shape)
    for y, x, c in np.ndindex(*guide.shape):
        rows = slice(max(y - radius, 0), y + radius + 1)
        columns = slice(max(x - radius, 0), x + radius + 1)
        g, t = guide[rows, columns, c].ravel(), target[rows, columns, c].ravel()
        scale[y, x, c] = np.cov(g, t, bias=True)[0, 1] / (g.var() + eps)
        offset[y, x, c] = t.mean() - scale[y, x, c] * g.mean()
    return _box_mean(scale, radius) * guide + _box_mean(offset, radius)


def _pair(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    guide, target = RNG.uniform(-1, 1, (2, *shape)).astype(np.float32)
    return guide, target


@pytest.mark.parametrize("radius", [0, 1, 2, 5])
def test_box_mean_divides_by_the_true_count(radius: int) -> None:
    images = RNG.normal(size=(2, 7, 11, 3)).astype(np.float32)
    expected = [_box_mean(image.astype(np.float64), radius) for image in images]
    np.testing.assert_allclose(box_mean(images, radius=radius), expected, atol=1e-6)


def test_box_mean_of_ones_is_one_up_to_the_corners() -> None:
    np.testing.assert_allclose(box_mean(tf.ones([1, 6, 9, 1]), radius=3), 1, rtol=1e-6)


def test_box_mean_at_a_corner_by_hand() -> None:
    image = np.arange(12, dtype=np.float32).reshape(1, 3, 4, 1)
    # Top left holds 0 1 4 5, top right 2 3 6 7, the middle left 0 1 4 5 8 9.
    mean = box_mean(image, radius=1).numpy()[0, ..., 0]
    np.testing.assert_allclose([mean[0, 0], mean[0, 3], mean[1, 0]], [2.5, 4.5, 4.5])


@pytest.mark.parametrize(("radius", "eps"), [(1, 5e-3), (1, 1e-2), (5, 0.2)])
def test_equals_the_definition(radius: int, eps: float) -> None:
    guide, target = _pair(2, 9, 14, 3)
    expected = [
        _guided_filter(g, t, radius, eps)
        for g, t in zip(guide.astype(np.float64), target.astype(np.float64))
    ]
    filtered = guided_filter(guide, target, radius=radius, eps=eps)
    # float32 box variances of values around 1 carry errors of some 1e-7, divided by eps.
    np.testing.assert_allclose(filtered, expected, atol=1e-4)


def test_graph_equals_eager() -> None:
    guide, target = _pair(1, 8, 13, 3)
    signature = [tf.TensorSpec([None, None, None, 3])] * 2
    graph = tf.function(
        lambda g, t: guided_filter(g, t, radius=2, eps=1e-2), input_signature=signature
    )
    eager = guided_filter(guide, target, radius=2, eps=1e-2)
    np.testing.assert_allclose(graph(guide, target), eager, atol=1e-6)


def test_a_constant_guide_leaves_the_mean_of_means() -> None:
    _, target = _pair(1, 8, 5, 3)
    guide = np.full_like(target, 0.25)
    filtered = guided_filter(guide, target, radius=1, eps=1e-2)
    expected = _box_mean(_box_mean(target[0].astype(np.float64), 1), 1)
    np.testing.assert_allclose(filtered[0], expected, atol=1e-5)


def test_a_constant_target_stays() -> None:
    guide, _ = _pair(1, 7, 10, 3)
    filtered = guided_filter(guide, np.full_like(guide, -0.6), radius=2, eps=1e-3)
    np.testing.assert_allclose(filtered, -0.6, atol=1e-4)


def test_without_eps_to_speak_of_a_picture_guiding_itself_stays() -> None:
    guide, _ = _pair(1, 7, 10, 3)
    np.testing.assert_allclose(guided_filter(guide, guide, radius=1, eps=1e-8), guide, atol=1e-4)


def test_coefficients_are_the_filter_taken_apart() -> None:
    guide, target = _pair(1, 6, 9, 3)
    scale, offset = guided_filter_coefficients(guide, target, radius=1, eps=1e-2)
    filtered = guided_filter(guide, target, radius=1, eps=1e-2)
    np.testing.assert_allclose(scale * guide + offset, filtered, atol=1e-6)


@pytest.mark.parametrize(("strength", "delta"), [(0.5, 1.0), (1.5, 0.25), (1.0, 0.0)])
def test_strength_and_delta_are_what_they_say(strength: float, delta: float) -> None:
    guide, target = _pair(2, 6, 9, 3)
    cartoon = guided_filter(guide, target, radius=1, eps=1e-2)
    filtered = delta * cartoon + (1 - delta) * target  # equation 9
    expected = guide + strength * (filtered - guide)
    settings = {"radius": 1, "eps": 1e-2}
    scale, offset = adjusted(guide, target, **settings, strength=strength, delta=delta)
    np.testing.assert_allclose(scale * guide + offset, expected, atol=1e-5)

    signature = [*[tf.TensorSpec([None, None, None, 3])] * 2, *[tf.TensorSpec([])] * 2]

    @tf.function(input_signature=signature)
    def graph(guide, target, strength, delta):
        return adjusted(guide, target, **settings, strength=strength, delta=delta)

    for ours, theirs in zip(graph(guide, target, strength, delta), (scale, offset)):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_ends_of_strength_and_delta_are_exact() -> None:
    guide, target = _pair(1, 6, 9, 3)
    settings = {"radius": 1, "eps": 1e-2}
    whole = adjusted(guide, target, **settings, strength=1.0, delta=1.0)
    for ours, theirs in zip(whole, guided_filter_coefficients(guide, target, **settings)):
        np.testing.assert_array_equal(ours, theirs)
    for delta in (0.0, 1.0):
        scale, offset = adjusted(guide, target, **settings, strength=0.0, delta=delta)
        np.testing.assert_array_equal(scale * guide + offset, guide)
    scale, offset = adjusted(guide, target, **settings, strength=1.0, delta=0.0)
    np.testing.assert_allclose(scale * guide + offset, target, atol=1e-6)


def test_a_larger_size_gets_the_detail_that_the_network_kept() -> None:
    """A network that changes nothing gives back the larger photo itself; a flat one stays flat."""
    large = np.random.default_rng(3).uniform(-1, 1, [1, 12, 18, 3]).astype(np.float32)
    small = large.reshape(1, 6, 2, 9, 2, 3).mean((2, 4))
    flat = np.full_like(small, 0.25)
    for target, expected in ((small, large), (flat, np.full_like(large, 0.25))):
        scale, offset = adjusted(small, target, radius=1, eps=1e-8, strength=1.0, delta=0.0)
        scale, offset = (np.repeat(np.repeat(each, 2, 1), 2, 2) for each in (scale, offset))
        np.testing.assert_allclose(scale * large + offset, expected, atol=1e-3)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_half_precision_is_computed_in_float32(dtype: tf.DType) -> None:
    guide, target = (tf.cast(image, dtype) for image in _pair(1, 12, 7, 3))
    filtered = guided_filter(guide, target, radius=5, eps=1e-3)
    assert filtered.dtype == tf.float32
    wide = [tf.cast(image, tf.float32) for image in (guide, target)]
    np.testing.assert_array_equal(filtered, guided_filter(*wide, radius=5, eps=1e-3))


def test_gradients_are_finite_even_where_the_guide_is_flat() -> None:
    guide, target = _pair(1, 8, 11, 3)
    guide[:, :, :6] = 0.9
    guide, target = tf.constant(guide), tf.constant(target)
    with tf.GradientTape() as tape:
        tape.watch([guide, target])
        loss = tf.reduce_sum(guided_filter(guide, target, radius=1, eps=5e-3) ** 2)
    for gradient in tape.gradient(loss, [guide, target]):
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0


# The layer.


def test_the_layer_is_the_function() -> None:
    guide, target = _pair(2, 5, 8, 3)
    layer = GuidedFilter(radius=1, eps=5e-3)
    expected = guided_filter(guide, target, radius=1, eps=5e-3)
    np.testing.assert_array_equal(layer([guide, target]), expected)
    assert not layer.weights


def test_the_layers_config_makes_the_same_layer() -> None:
    layer = GuidedFilter(radius=5, eps=0.2, name="surface")
    again = GuidedFilter.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.radius, again.eps, again.name) == (5, 0.2, "surface")


def test_the_layer_stays_in_float32_under_mixed_precision() -> None:
    guide, target = (tf.cast(image, tf.float16) for image in _pair(1, 6, 6, 3))
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        layer = GuidedFilter(radius=1, eps=5e-3)
        filtered = layer([guide, target])
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
    assert filtered.dtype == tf.float32
    np.testing.assert_array_equal(filtered, guided_filter(guide, target, radius=1, eps=5e-3))


@pytest.mark.parametrize(
    ("radius", "eps", "message"), [(-1, 1e-2, "radius"), (1, 0, "eps"), (1, -1e-3, "eps")]
)
def test_impossible_settings_are_refused(radius: int, eps: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GuidedFilter(radius=radius, eps=eps)


@pytest.mark.parametrize("radius", [0, 1, 5])
@pytest.mark.parametrize("shape", [(1, 9, 23, 3), (2, 4, 3, 1)])
def test_the_gradient_is_that_of_the_definition(radius: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    images = tf.constant(rng.standard_normal(shape), tf.float32)
    upstream = rng.standard_normal(shape).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        mean = box_mean(images, radius=radius)
    gradient = tape.gradient(mean, images, output_gradients=tf.constant(upstream))

    height, width = shape[1:3]
    expected = np.zeros(shape)
    for i in range(height):
        for j in range(width):
            rows = slice(max(i - radius, 0), i + radius + 1)
            columns = slice(max(j - radius, 0), j + radius + 1)
            count = len(range(height)[rows]) * len(range(width)[columns])
            expected[:, rows, columns] += upstream[:, i : i + 1, j : j + 1] / count
    np.testing.assert_allclose(gradient, expected, atol=1e-5)
