from __future__ import annotations

import numpy as np

from wbc_tf.ops import tones


def test_the_curve_stretches_and_lifts():
    lightness = np.array([[0.0, 10.0, 50.0, 90.0, 100.0]], np.float32)
    found = tones.curve(lightness, gamma=0.5, black=10.0, white=90.0)
    np.testing.assert_allclose(found, [[0, 0, 100 * np.sqrt(0.5), 100, 100]], rtol=1e-5)


def test_tones_and_the_middles_between_them_stay():
    flat = np.array([0.0, 10.0, 20.0, 30.0, 100.0], np.float32)
    for value in flat:
        picture = np.full([6, 9], value, np.float32)
        found = tones.quantise(picture, levels=5, sharpness=(8.0, 8.0), slope=1.0)
        np.testing.assert_allclose(found, picture, atol=1e-3)


def test_other_lightness_is_drawn_to_the_nearest_tone():
    picture = np.full([6, 9], 27.0, np.float32)  # tones are at 20 and 40, the step at 30
    found = tones.quantise(picture, levels=5, sharpness=(8.0, 8.0), slope=1.0)
    expected = 30 + 10 * np.tanh(8 * -0.15) / np.tanh(4)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_steps_are_sharp_where_the_picture_is_steep():
    soft = np.tile(np.linspace(40, 60, 200, dtype=np.float32), [9, 1])
    steep = np.tile(np.linspace(0, 100, 25, dtype=np.float32), [9, 1])
    options = {"levels": 5, "sharpness": (1.0, 20.0), "slope": 3.0}
    assert np.abs(tones.quantise(soft, **options) - soft).max() < 1.0
    assert np.abs(tones.quantise(steep, **options) - steep).max() > 5.0


def test_lights_are_warm_and_shadows_cool():
    lightness = np.array([[0.0, 50.0, 100.0]], np.float32)
    chroma = np.full([1, 3, 2], 10.0, np.float32)
    found = tones.colour(lightness, chroma, saturation=1.5, warmth=4.0)
    np.testing.assert_allclose(found[0, :, 2], [11, 15, 19], rtol=1e-6)
    np.testing.assert_array_equal(found[..., 0], lightness)


def test_smoothing_keeps_an_edge_and_takes_the_grain():
    lab = np.zeros([24, 40, 3], np.float32)
    lab[..., 0] = 30
    lab[:, 20:, 0] = 70
    noisy = lab + np.random.default_rng(0).normal(0, 1.5, lab.shape).astype(np.float32)
    found = tones.smooth(noisy, passes=2, sigma=2.0, range_sigma=5.0)
    error = np.abs(found - lab)[4:-4, 4:-4]
    assert error.mean() < 0.6 * np.abs(noisy - lab).mean()
    assert error.max() < 8


def test_sharpening_makes_an_edge_steeper_without_halos():
    ramp = np.clip(np.arange(-20, 20, dtype=np.float32) / 6, -1, 1)
    lab = np.tile(50 + 20 * ramp[None, :, None], [9, 1, 3])
    found = tones.sharpen(lab, amount=3.0)
    assert np.abs(np.diff(found[4, :, 0])).max() > 1.5 * np.abs(np.diff(lab[4, :, 0])).max()
    assert found.min() >= lab.min()
    assert found.max() <= lab.max()
    np.testing.assert_array_equal(tones.sharpen(lab, amount=0.0), lab)
