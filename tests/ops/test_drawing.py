from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import color, data

from wbc_tf.ops import drawing
from wbc_tf.ops.drawing import draw
from wbc_tf.ops.l0_smoothing import l0_smoothing


def _photo():
    """[1, 90, 140, 3]: a cup's rim on a red saucer, and the grain of a table."""
    return (data.coffee()[40:130, 160:300][None] / 127.5 - 1).astype(np.float32)


def test_contours_lie_on_the_dark_side_of_an_edge():
    halves = np.full([1, 24, 40, 3], -0.4, np.float32)
    halves[:, :, 20:] = 0.6
    bare, inked = (draw(halves, smoothing=0.05, ink=ink)[0, 12] for ink in (0.0, 0.8))
    taken = (bare - inked).mean(-1)
    assert taken[17:20].max() > 0.25
    assert taken[:14].max() < 0.01  # periodic: another edge lies across the left border, uninked
    assert taken[22:].max() < 0.01


def test_full_ink_is_black_and_a_flat_picture_has_none():
    halves = np.full([1, 24, 40, 3], -0.4, np.float32)
    halves[:, :, 20:] = 1.0
    assert draw(halves, smoothing=0.05, ink=1.0).min() < -0.95
    flat = np.full([1, 16, 24, 3], -0.4, np.float32)
    np.testing.assert_array_equal(
        draw(flat, smoothing=0.05, ink=1.0), draw(flat, smoothing=0.05, ink=0.0)
    )


def test_a_grey_of_one_tone_goes_along_the_curve():
    """0.3 of white: 0.3 + 0.15 * (3 * 0.09 - 2 * 0.027 - 0.3)."""
    grey = np.full([1, 16, 24, 3], 2 * 0.3 - 1, np.float32)
    expected = 2 * (0.3 + 0.15 * (0.27 - 0.054 - 0.3)) - 1
    np.testing.assert_allclose(draw(grey, smoothing=0.05, ink=0.8), expected, atol=1e-4)


def test_each_part_derived_anew():
    """The whole of it with other libraries: SciPy's Gaussians, scikit-image's luma."""
    photo = _photo()
    unit = (photo.astype(np.float64) + 1) / 2
    bright = l0_smoothing((2 * unit**0.6 - 1).astype(np.float32), strength=0.08)
    areas = (((bright + 1) / 2) ** (1 / 0.6))[0].astype(np.float64)
    luma = areas @ [0.299, 0.587, 0.114]
    # OpenCV's kernels for floats end at four deviations, its borders mirror without repeating.
    near, far = (gaussian_filter(luma, s, mode="mirror", truncate=4) for s in (2.0, 2.0 * 1.6))
    ink = 0.8 * np.tanh(60 * np.clip(far - near - 0.03, 0, None))
    light = areas**0.8
    toned = light - 0.1 * (3 * light**2 - 2 * light**3 - light)
    grey = (toned @ [0.299, 0.587, 0.114])[..., None]
    inked = (1.15 * toned - 0.15 * grey) * (1 - ink[..., None])
    blurred = gaussian_filter(inked, (0.5, 0.5, 0), mode="mirror", truncate=4)
    expected = np.clip(2 * (blurred + 0.35 * (unit[0] - areas)) - 1, -1, 1)
    drawn = draw(photo, smoothing=0.08, ink=0.8, gamma=0.8, contrast=-0.1)
    assert drawn.dtype == np.float32
    assert drawn.shape == photo.shape
    np.testing.assert_allclose(drawn[0], expected, atol=5e-3)


def test_a_photo_gets_flatter_and_livelier():
    photo = _photo()
    drawn = draw(photo, smoothing=0.08, ink=0.8)

    def flat(image):
        return np.mean(np.abs(np.diff(image, axis=2)).max(-1) < 4 / 127.5)

    def saturation(image):
        return color.rgb2hsv((image[0] + 1) / 2)[..., 1].mean()

    assert flat(drawn) > flat(photo) + 0.1
    assert saturation(drawn) > saturation(photo)


def test_pictures_of_a_batch_do_not_mix():
    one = _photo()
    both = draw(np.concatenate([one, -one]), smoothing=0.08, ink=0.8)
    np.testing.assert_allclose(both[:1], draw(one, smoothing=0.08, ink=0.8), atol=1e-4)


def test_dark_areas_keep_more_than_plain_smoothing_leaves(monkeypatch):
    random = np.random.default_rng(0)
    dark = random.uniform(-0.95, -0.75, [1, 32, 48, 3]).astype(np.float32)
    seen = np.std(draw(dark, smoothing=0.02, ink=0.0))
    monkeypatch.setattr(drawing, "_SHADOWS", 1.0)
    assert seen > 1.3 * np.std(draw(dark, smoothing=0.02, ink=0.0))


def test_what_cannot_be_is_refused():
    picture = np.zeros([1, 8, 8, 3], np.float32)
    with pytest.raises(ValueError, match=r"ink is 1\.5"):
        draw(picture, smoothing=0.05, ink=1.5)
    with pytest.raises(ValueError, match=r"gamma is 0\.0"):
        draw(picture, smoothing=0.05, ink=0.5, gamma=0.0)
    with pytest.raises(ValueError, match=r"contrast is 1\.5"):
        draw(picture, smoothing=0.05, ink=0.5, contrast=1.5)
    with pytest.raises(ValueError, match="strength is 0"):
        draw(picture, smoothing=0, ink=0.5)
    with pytest.raises(ValueError, match=r"\[N, H, W, 3\], got \[8, 8, 3\]"):
        draw(picture[0], smoothing=0.05, ink=0.5)
