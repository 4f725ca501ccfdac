from __future__ import annotations

import numpy as np
import tensorflow as tf

from wbc_tf.additions.config import AddedFields
from wbc_tf.additions.terms import (
    NAMES,
    added_terms,
    added_weights,
    channel_mean_l1,
    contrast_l1,
    gradient_l1,
    pixel_l1,
    pixel_total,
    pretrain_pixel_loss,
)


def test_pixels_are_held_to_the_target_and_colours_to_the_photo():
    photo, target, output = (tf.fill([2, 4, 6, 3], value) for value in (0.1, 0.5, 1.0))
    config = AddedFields(pixel_weight=2, channel_mean_weight=1)
    terms = added_terms(output, photo, target, config)
    assert terms.keys() == {"pixel", "channel_mean"}  # one of weight 0 is not computed
    expected = {**dict.fromkeys(NAMES, 0.0), "pixel": 2.0, "channel_mean": 1.0}
    assert added_weights(config) == expected
    np.testing.assert_allclose(terms["pixel"], 0.5, rtol=1e-6)
    np.testing.assert_allclose(terms["channel_mean"], 0.9, rtol=1e-6)


def test_gradients_against_numpy_and_blind_to_a_tint():
    images, target = np.random.default_rng(0).uniform(-1, 1, [2, 2, 5, 7, 3]).astype(np.float32)
    expected = sum(
        np.abs(np.diff(images, axis=axis) - np.diff(target, axis=axis)).mean() for axis in (1, 2)
    )
    np.testing.assert_allclose(gradient_l1(tf.constant(images), target), expected, rtol=1e-5)
    tinted = target + np.array([0.3, 0.0, -0.2], np.float32)
    np.testing.assert_allclose(gradient_l1(tf.constant(tinted), target), 0.0, atol=1e-6)


def test_pretraining_on_pixels_is_bare_l1_until_gradients_count():
    output, target = np.random.default_rng(1).uniform(-1, 1, [2, 1, 6, 5, 3]).astype(np.float32)
    pixel, gradient = np.abs(output - target).mean(), float(gradient_l1(output, target))
    np.testing.assert_allclose(pixel_l1(output, target), pixel, rtol=1e-6)
    for weights, expected in (((7.0, 0.0), pixel), ((2.0, 3.0), 2 * pixel + 3 * gradient)):
        config = AddedFields(pixel_weight=weights[0], gradient_weight=weights[1])
        np.testing.assert_allclose(pixel_total(output, target, config), expected, rtol=1e-5)


def test_the_filtered_output_counts_in_pretraining_where_it_has_a_weight():
    output, target, filtered = (tf.fill([1, 4, 6, 3], value) for value in (0.5, 0.1, 0.2))
    asked = []

    def behind_the_filter():
        asked.append(1)
        return filtered

    for weight, expected in ((0.0, 2 * 0.4), (0.5, 2 * 0.4 + 0.5 * 0.1)):
        config = AddedFields(raw_weight=2.0, filtered_weight=weight)
        loss = pretrain_pixel_loss(output, target, config, filtered=behind_the_filter)
        np.testing.assert_allclose(loss, expected, rtol=1e-5)
    assert len(asked) == 1, "it is not computed where its weight is 0"


def test_channel_mean_sees_colour_casts_only():
    rng = np.random.default_rng(0)
    photo = tf.constant(rng.uniform(-1, 1, [2, 4, 6, 3]), tf.float32)
    mirrored = photo[:, :, ::-1]
    np.testing.assert_allclose(channel_mean_l1(mirrored, photo), 0.0, atol=1e-6)
    cast = photo + tf.constant([0.3, 0.0, -0.6])
    np.testing.assert_allclose(channel_mean_l1(cast, photo), 0.3, rtol=1e-5)


def test_contrast_sees_haze_only():
    rng = np.random.default_rng(0)
    photo = tf.constant(rng.uniform(-1, 1, [2, 4, 6, 3]), tf.float32)
    np.testing.assert_allclose(contrast_l1(photo[:, ::-1] + 0.2, photo), 0.0, atol=1e-6)
    hazy = 0.75 * photo + 0.25
    expected = 0.25 * np.std(photo.numpy(), axis=(1, 2)).mean()
    np.testing.assert_allclose(contrast_l1(hazy, photo), expected, rtol=1e-4)


def test_contrast_has_a_gradient_at_a_picture_of_one_colour():
    grey, photo = tf.fill([1, 4, 6, 3], 0.1), tf.random.uniform([1, 4, 6, 3], -1, 1, seed=0)
    with tf.GradientTape() as tape:
        tape.watch(grey)
        loss = contrast_l1(grey, photo)
    assert np.isfinite(tape.gradient(loss, grey)).all()
