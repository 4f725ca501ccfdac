from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.weights import named_variables
from wbc_tf.layers.guided_filter import guided_filter
from wbc_tf.methods.white_box import names
from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.methods.white_box.convert import generator_from_checkpoint
from wbc_tf.methods.white_box.discriminator import Discriminator
from wbc_tf.methods.white_box.objective import (
    adversarial_terms,
    discriminator_total,
    feature_l1,
    generator_total,
    reconstruction_terms,
    total_variation,
)
from wbc_tf.methods.white_box.representations.surface import surface
from wbc_tf.methods.white_box.representations.texture import texture
from wbc_tf.training.optimization import INITIAL_LOSS_SCALE

# The released graph is BGR. These arrays have colour in their last axis or, as kernels, in the one
# before it, and are turned round; every other array is the same in both.
_BGR_KERNELS_IN = ("generator/Conv/weights", "disc_blur/conv0_1/kernel")
_BGR_OUT = ("generator/Conv_9/weights", "generator/Conv_9/biases")


def _to_rgb(name: str, values: np.ndarray) -> np.ndarray:
    """Turns an array named as in the original round; turning twice is turning back."""
    if name in _BGR_KERNELS_IN:
        return values[:, :, ::-1]
    return values[..., ::-1] if name in _BGR_OUT else values


def _discriminator(golden, name: str, channels: int) -> Discriminator:
    network = Discriminator(name=name)
    network(tf.zeros([1, 16, 16, channels]))
    for path, variable in named_variables(network).items():
        original = f"{name}/{path}"
        variable.assign(_to_rgb(original, golden[f"var/{original}"]))
    return network


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared / "reference/whitebox/train_step.npz")


@pytest.fixture(scope="module")
def step(shared, golden):
    """Our numbers for the authors' step: pictures, terms, totals, and gradients by their names."""
    config = WhiteBoxConfig(structure_weight=0, content_weight=0)  # the figures leave VGG out
    generator = generator_from_checkpoint(shared / "reference/whitebox/saved_models")
    surface_discriminator = _discriminator(golden, "disc_blur", 3)
    texture_discriminator = _discriminator(golden, "disc_gray", 1)
    photo = tf.constant(golden["photo"][..., ::-1])
    cartoon = tf.constant(golden["cartoon"][..., ::-1])
    color_weights = tf.constant(golden["color_shift_weights_bgr"][::-1])

    def unused(pictures):
        raise AssertionError("a term of weight 0 must not be computed")

    @tf.function
    def run():
        with tf.GradientTape(persistent=True) as tape:
            raw = generator(photo)
            output = guided_filter(
                photo, raw, radius=config.output_filter_radius, eps=config.output_filter_eps
            )
            terms, discriminator_terms = adversarial_terms(
                output,
                cartoon,
                color_weights=color_weights,
                surface_discriminator=surface_discriminator,
                texture_discriminator=texture_discriminator,
                config=config,
            )
            terms |= reconstruction_terms(
                output, vgg=unused, structure_map=unused, target_features=photo, config=config
            )
            total = generator_total(terms, config)
            discriminators = discriminator_total(discriminator_terms)
        ours = named_variables(generator)
        sources = {old: ours[new] for old, new in names.GENERATOR.items()}
        gradients = {
            f"g_NAME/{name}": gradient for name, gradient in tape.gradient(total, sources).items()
        }
        for network in (surface_discriminator, texture_discriminator):
            sources = {
                f"d_NAME/{network.name}/{path}": variable
                for path, variable in named_variables(network).items()
                if variable.trainable
            }
            gradients.update(tape.gradient(discriminators, sources))
        pictures = {
            "generator_raw": raw,
            "generator_output": output,
            "surface_fake": surface(output),
            "surface_cartoon": surface(cartoon),
            "texture_fake": texture(output, color_weights),
            "texture_cartoon": texture(cartoon, color_weights),
        }
        scalars = {
            "total_variation": terms["tv"],
            "g_loss_surface": terms["surface"],
            "g_loss_texture": terms["texture"],
            "d_loss_surface": discriminator_terms["surface"],
            "d_loss_texture": discriminator_terms["texture"],
            "g_total_without_vgg": total,
            "d_total": discriminators,
        }
        return pictures, scalars, gradients

    return run()


def test_representations_are_the_authors(golden, step):
    for name, ours in step[0].items():
        theirs = golden[name][..., ::-1]
        assert np.abs(ours - theirs).max() <= 1e-4 * np.abs(theirs).max(), name


def test_losses_and_totals_are_the_authors(golden, step):
    for name, ours in step[1].items():
        np.testing.assert_allclose(ours, golden[name], rtol=1e-4, err_msg=name)


def test_gradients_are_the_authors(golden, step):
    """Every variable's gradient by its norm, and its first values by where they point."""
    figures = {name for name in golden.files if name.startswith(("grad_g_norm", "grad_d_norm"))}
    assert {f"grad_{name.replace('NAME', 'norm')}" for name in step[2]} == figures
    for name, gradient in step[2].items():
        original = name.split("/", 1)[1]
        norm = golden[f"grad_{name.replace('NAME', 'norm')}"]
        np.testing.assert_allclose(tf.norm(gradient), norm, rtol=1e-3, err_msg=name)
        # The original's power iteration runs twice a step from a u that is converged but for
        # rounding, so that the discriminators' gradients agree less closely than the generator's.
        head = golden[f"grad_{name.replace('NAME', 'head')}"]
        ours = _to_rgb(original, gradient.numpy()).ravel()[: head.size]
        assert np.abs(ours - head).max() <= 5e-3 * np.abs(head).max(), name


def test_weighted_sum_is_the_presets():
    """Each term alone, so that a weight on the wrong term shows."""
    names = ("surface", "texture", "structure", "content", "tv")
    expected = {
        "white_box": (0.1, 1.0, 200.0, 200.0, 1e4),
        "white_box_paper": (1.0, 10.0, 2e3, 2e3, 1e4),
    }
    for preset, weights in expected.items():
        config = WhiteBoxConfig.presets()[preset]
        for name, weight in zip(names, weights):
            terms = {each: tf.constant(float(each == name)) for each in names}
            np.testing.assert_allclose(generator_total(terms, config), weight, rtol=1e-6)


def test_feature_distance_is_the_mean_divided_by_the_maps_size():
    features = np.random.default_rng(0).normal(size=[2, 3, 5, 4])
    value = feature_l1(tf.constant(features), tf.constant(features + 0.6))
    np.testing.assert_allclose(value, 0.6 / (3 * 5 * 4), rtol=1e-5)


def test_float16_gradients_survive_at_the_scale_that_training_starts_from():
    # Divided twice by 128 * 128 * 256, at Keras' own 2^15 they would all be zero.
    features = tf.zeros([1, 128, 128, 256], tf.float16)
    with tf.GradientTape() as tape:
        tape.watch(features)
        loss = 200.0 * feature_l1(features, tf.ones_like(features)) * INITIAL_LOSS_SCALE / 16
    assert np.all(tape.gradient(loss, features).numpy() < 0)


def test_total_variation_of_a_ramp_is_its_slopes():
    """Steps of 0.1 down and 0.2 across: (0.01 + 0.04) / (3 * 5 * 4)."""
    rows, columns = np.mgrid[:5, :4]
    image = (0.1 * rows + 0.2 * columns)[None, :, :, None].repeat(3, axis=3)
    value = tf.function(total_variation)(tf.constant(image, tf.float32))
    np.testing.assert_allclose(value, 0.05 / (3 * 5 * 4), rtol=1e-5)
