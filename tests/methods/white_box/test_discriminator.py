from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.weights import named_variables
from wbc_tf.methods.white_box.discriminator import Discriminator


def test_variables_are_the_released_ones(shared):
    golden = np.load(shared / "reference/whitebox/train_step.npz")
    for name, channels in (("disc_blur", 3), ("disc_gray", 1)):
        network = Discriminator(name=name)
        network(tf.zeros([1, 8, 8, channels]))
        ours = {f"var/{name}/{path}": v.shape for path, v in named_variables(network).items()}
        theirs = {key: golden[key].shape for key in golden.files if key.startswith(f"var/{name}/")}
        assert ours == theirs


@pytest.mark.parametrize(("size", "patches"), [((64, 96), (8, 12)), ((33, 41), (5, 6))])
def test_one_logit_per_patch(size, patches):
    network = Discriminator()
    images = tf.random.stateless_uniform([2, *size, 3], [0, 0], -1, 1)
    assert network(images).shape == [2, *patches, 1]
    assert tf.function(network)(images).shape == [2, *patches, 1]


def test_a_logit_sees_43_pixels():
    network = Discriminator()
    with tf.GradientTape() as tape:
        images = tf.random.stateless_uniform([1, 96, 128, 1], [0, 0], -1, 1)
        tape.watch(images)
        logit = network(images)[0, 6, 8, 0]
    rows, columns = np.nonzero(tape.gradient(logit, images)[0, :, :, 0])
    assert np.ptp(rows) + 1 == 43
    assert np.ptp(columns) + 1 == 43


def test_each_layer_stretches_by_at_most_its_kernels_overlap():
    """Normalised as a matrix, a 3x3 kernel stretches by 3 at most, whatever its weights are."""
    network = Discriminator()
    images = tf.random.stateless_uniform([1, 16, 16, 3], [0, 0], -1, 1)
    for _ in range(50):  # for the power iterations to converge
        before = network(images)
    for pair in network.pairs:
        for layer in pair:
            layer.kernel.assign(layer.kernel * 100.0)
    np.testing.assert_allclose(network(images), before, rtol=1e-3, atol=1e-5)


def test_policy_reaches_the_layers():
    network = Discriminator(dtype="mixed_bfloat16")
    assert network(tf.zeros([1, 16, 24, 3])).dtype == tf.bfloat16
    assert {variable.dtype for variable in network.variables} == {tf.float32}
