from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.weights import named_variables
from wbc_tf.methods.cartoongan.discriminator import Discriminator


@pytest.fixture(scope="module")
def golden(figures):
    """From the first author's table in float64, with weights in BGR."""
    return figures("discriminator.npz")


def _our_name(name):
    place, part = name[1:].split(".")
    ours = {"kernel": f"conv{place}/kernel", "scale": f"norm{place}/gamma"}
    return ours.get(part, f"norm{place}/beta")


@pytest.fixture(scope="module")
def discriminator(golden):
    network = Discriminator()
    network(tf.zeros([1, 8, 8, 3]))
    assert network.count_params() == 1_128_800
    for name, variable in named_variables(network).items():
        published = next(key for key in golden["grad_names"] if _our_name(key) == name)
        value = golden[published].astype(np.float32)
        variable.assign(value[:, :, ::-1] if published == "d1.kernel" else value)
    return network


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_logits_and_gradients_equal_the_authors_table(discriminator, golden, wrap):
    variables = named_variables(discriminator)
    images = tf.constant(golden["input"])

    @wrap
    def run(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits = discriminator(images)
            loss = tf.reduce_mean(logits)
        names = golden["grad_names"]
        of = [images if name == "input" else variables[_our_name(name)] for name in names]
        return logits, tape.gradient(loss, of)

    logits, gradients = run(images)
    np.testing.assert_allclose(logits, golden["logits"], rtol=0, atol=2e-5)
    norms = [np.linalg.norm(gradient) for gradient in gradients]
    np.testing.assert_allclose(norms, golden["grad_norms"], rtol=1e-4)
    first = gradients[list(golden["grad_names"]).index("d1.kernel")]
    np.testing.assert_allclose(
        first[:, :, ::-1], golden["grad_d1_kernel"], atol=1e-5 * np.abs(first).max()
    )


def test_any_size_gives_a_logit_for_each_four_pixels_begun():
    network = Discriminator(channels=4)
    assert network(tf.zeros([2, 33, 46, 3])).shape == (2, 9, 12, 1)
