from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.methods.white_box.representations.structure import structure
from wbc_tf.ops.pool import shared_pool
from wbc_tf.ops.structure_map import structure_map


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(-1.5, 1.5, (3, 24, 40, 3)).astype(np.float32)


@pytest.fixture(autouse=True, scope="module")
def _no_workers_left():
    yield
    shared_pool().close()


@pytest.mark.parametrize("options", [{}, {"kind": "slic", "segments": 9}, {"released": True}])
@pytest.mark.parametrize("in_graph", [False, True])
def test_equals_the_maps_one_by_one(images, options, in_graph):
    call = tf.function(structure) if in_graph else structure
    maps = call(tf.constant(images), **options)
    expected = [structure_map(image, **options) for image in images]
    np.testing.assert_array_equal(maps, expected)
    assert maps.dtype == tf.float32
    assert np.abs(maps).max() <= 1


def test_keeps_what_is_known_of_the_shape():
    shapes = []

    @tf.function(input_signature=[tf.TensorSpec((None, 24, 40, 3), tf.float16)])
    def graph(batch):
        maps = structure(batch, kind="slic", segments=4)
        shapes.append(maps.shape.as_list())
        return maps

    for size in (2, 1):
        assert graph(tf.zeros((size, 24, 40, 3), tf.float16)).shape == (size, 24, 40, 3)
    assert shapes == [[None, 24, 40, 3]]


def test_no_gradient_flows(images):
    variable = tf.Variable(images)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((variable - structure(variable, kind="slic")) ** 2)
    maps = structure(images, kind="slic")
    expected = 2 * (images - maps) / images.size
    np.testing.assert_allclose(tape.gradient(loss, variable), expected, atol=1e-8)


def test_finite_where_the_generator_is_not(images):
    wild = images.copy()
    wild[0, 0, 0], wild[1], wild[2, 5] = np.nan, -np.inf, 1e30
    assert np.isfinite(structure(wild)).all()


def test_in_a_data_pipeline(images):
    """Where several threads ask at once, and the shared pool was closed in between."""
    shared_pool().close()
    batches = tf.data.Dataset.from_tensor_slices(images).repeat(4).batch(2)
    maps = list(batches.map(structure, num_parallel_calls=4).unbatch())
    expected = [structure_map(image) for image in images] * 4
    np.testing.assert_array_equal(maps, expected)


def test_an_unknown_kind_is_refused_before_anything_runs(images):
    with pytest.raises(ValueError, match="adaptive, slic, felzenszwalb"):
        structure(images, kind="snowflakes")
