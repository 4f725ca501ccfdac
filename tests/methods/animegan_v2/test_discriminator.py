from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from wbc_tf.artefact.weights import named_variables
from wbc_tf.methods.animegan_v2.discriminator import Discriminator, build_discriminator


def test_equals_the_authors_graph(discriminator: Discriminator, animegan: Path) -> None:
    """Logits, the moved u and all gradients; TensorFlow's 'SAME' padding would cost 1.6."""
    golden = np.load(animegan / "discriminator.npz")
    with tf.GradientTape() as tape:
        logits = tf.function(discriminator)(golden["input"])
        loss = tf.reduce_mean((logits - 1) ** 2)
    np.testing.assert_allclose(logits, golden["logits"], rtol=0, atol=5e-5)
    np.testing.assert_allclose(loss, golden["loss"], rtol=1e-5)
    variables = named_variables(discriminator)
    for name, variable in variables.items():
        if name.endswith("/u"):
            np.testing.assert_allclose(variable, golden[f"u_after/discriminator/{name}"], atol=1e-5)
    learned = {name: variable for name, variable in variables.items() if not name.endswith("/u")}
    assert sum(variable.shape.num_elements() for variable in learned.values()) == 1_128_800
    for name, gradient in tape.gradient(loss, learned).items():
        norm = golden[f"grad_norm/discriminator/{name}"]
        np.testing.assert_allclose(np.linalg.norm(gradient), norm, rtol=1e-4, err_msg=name)
        head = golden[f"grad_head/discriminator/{name}"]
        error = np.linalg.norm(gradient.numpy().ravel()[:64] - head)
        assert error <= 1e-4 * np.linalg.norm(head), name


def test_stages_equal_the_authors(discriminator: Discriminator, animegan: Path) -> None:
    golden = np.load(animegan / "discriminator.npz")
    x = tf.constant(golden["input"][:1])
    for convolution, norm in discriminator.stages:
        after = 1 if convolution.strides == 1 else 0
        x = convolution(tf.pad(x, [[0, 0], [1, after], [1, after], [0, 0]]))
        x = tf.nn.leaky_relu(norm(x) if norm is not None else x, 0.2)
        if f"stage_{convolution.name[5:]}" in golden.files:
            theirs = golden[f"stage_{convolution.name[5:]}"]
            np.testing.assert_allclose(x, theirs, rtol=0, atol=5e-5)


def test_policy_reaches_the_layers() -> None:
    network = build_discriminator(dtype=tf.keras.mixed_precision.Policy("mixed_bfloat16"))
    logits = network(tf.zeros([1, 16, 24, 3]))
    assert logits.shape == (1, 4, 6, 1)
    assert logits.dtype == tf.bfloat16
    assert {variable.dtype for variable in network.variables} == {tf.float32}
