from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.losses.perceptual import VggFeatures
from wbc_tf.methods.cartoongan.config import CartoonGanConfig
from wbc_tf.methods.cartoongan.objective import (
    content,
    discriminator_terms,
    discriminator_total,
    generator_adversarial,
    generator_total,
    vgg_view,
)


@pytest.fixture(scope="module")
def golden(figures):
    """Every term on fixed numbers in float64, with gradients."""
    return figures("losses.npz")


def _prefix(kind):
    return "lsgan" if kind == "lsgan" else "bce"


def _assert_gradient(ours, expected):
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
@pytest.mark.parametrize("kind", ["lsgan", "bce", "minimax"])
def test_adversarial_terms_equal_the_figures(golden, kind, wrap):
    @wrap
    def run(cartoon, edge, photo):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([cartoon, edge, photo])
            generator = generator_adversarial(photo, kind=kind)
            terms = discriminator_terms(
                cartoon=cartoon, edge_smoothed=edge, output=photo, kind=kind
            )
            total = discriminator_total(terms)
        gradients = tape.gradient(total, [cartoon, edge, photo])
        return generator, tape.gradient(generator, photo), terms, total, gradients

    logits = [tf.constant(golden[f"logits_{name}"]) for name in ("cartoon", "edge", "photo")]
    generator, gradient, terms, total, gradients = run(*logits)
    own = "minimax" if kind == "minimax" else _prefix(kind)
    np.testing.assert_allclose(generator, golden[f"{own}_g"], rtol=1e-5)
    _assert_gradient(gradient, golden[f"{own}_g_grad_photo"])
    np.testing.assert_allclose(total, golden[f"{_prefix(kind)}_d_total"], rtol=1e-5)
    for ours, theirs, its in zip(
        ("cartoon", "edge_smoothed", "output"), ("cartoon", "edge", "photo"), gradients
    ):
        np.testing.assert_allclose(terms[ours], golden[f"{_prefix(kind)}_d_{theirs}"], rtol=1e-5)
        _assert_gradient(its, golden[f"{_prefix(kind)}_d_grad_{theirs}"])


def test_content_and_totals_equal_the_figures(golden):
    """Features in place of pictures: what VGG makes of them is tested with VGG."""
    features = tf.constant(golden["features_generated"])
    with tf.GradientTape() as tape:
        tape.watch(features)
        term = content(features, tf.constant(golden["features_photo"]), vgg=tf.identity, size=0)
        weighted = 10.0 * term
    np.testing.assert_allclose(term, golden["content_l1"], rtol=1e-5)
    _assert_gradient(tape.gradient(weighted, features), golden["content_grad"])

    photo = tf.constant(golden["logits_photo"])
    for kind in ("lsgan", "bce"):
        terms = {"adversarial": generator_adversarial(photo, kind=kind), "content": term}
        total = generator_total(terms, CartoonGanConfig(content_weight=10.0))
        np.testing.assert_allclose(total, golden[f"g_total_{kind}"], rtol=1e-5)


def test_the_default_weight_is_what_acts_in_the_authors_program(golden):
    acting = 10.0 * float(golden["content_gradient_ratio_author_over_true"])
    np.testing.assert_allclose(CartoonGanConfig().content_weight, acting, rtol=1e-6)


@pytest.mark.parametrize(("size", "name"), [(28, "vgg_input_bgr"), (0, "vgg_input_bgr_no_resize")])
def test_vgg_sees_what_the_figures_say(cartoongan, shared, size, name):
    """Its input, through the first convolution alone, which is linear."""
    weights = str(shared / "reference/vgg19/vgg19_blocks1-3.h5")
    vgg = VggFeatures("vgg19", "block1_conv1", weights=weights)
    with np.load(cartoongan / "losses.npz") as file:
        rgb = (file[name] + np.float32([103.939, 116.779, 123.68]))[..., ::-1] / 127.5 - 1
        features = vgg(vgg_view(tf.constant(file["vgg_rgb"]), size))
    expected = vgg(rgb.astype(np.float32))
    np.testing.assert_allclose(features, expected, rtol=0, atol=0.05)
    assert np.abs(expected).max() > 100


def test_content_of_equal_pictures_is_nothing_and_pulls_only_the_output():
    pictures = tf.random.stateless_uniform([1, 12, 20, 3], [0, 1], -1, 1)
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        other = content(pictures * 0.5, pictures, vgg=tf.square, size=8)
    assert float(content(pictures, pictures, vgg=tf.square, size=8)) == 0
    assert float(other) > 0
    assert tape.gradient(other, pictures) is not None
