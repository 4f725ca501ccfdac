from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wbc_tf.ops import drawing
from wbc_tf.ops.drawing import DrawingStyle, draw

STYLE = DrawingStyle()
NO_INK = replace(STYLE, ink=0.0)


@pytest.fixture
def halves():
    """A dark half beside a light one, 40 x 56."""
    picture = np.full([1, 40, 56, 3], -0.2, np.float32)
    picture[:, :, 28:] = 0.6
    return picture


def test_ink_stands_on_the_dark_side_of_an_edge_alone(halves):
    bare, inked = (draw(halves, style)[0, 20, :, 1] for style in (NO_INK, STYLE))
    ink = bare - inked
    assert ink[24:28].max() > 0.5
    assert np.abs(ink[:22]).max() < 1e-4
    assert np.abs(ink[31:]).max() < 1e-4


def test_a_border_between_colours_of_one_lightness_is_inked():
    lab = np.full([40, 56, 3], (60.0, 30.0, 0.0), np.float32)
    lab[:, 28:, 1] = -30.0
    assert drawing.ink(lab, lab, STYLE)[20, 25:31].max() > 0.3
    colourless = replace(STYLE, border_threshold=100.0)
    assert drawing.ink(lab, lab, colourless).max() == 0


def test_grain_gets_no_ink():
    random = np.random.default_rng(0)
    photo = (random.normal(0.1, 0.03, [1, 48, 64, 3])).astype(np.float32)
    np.testing.assert_allclose(draw(photo, STYLE), draw(photo, NO_INK), atol=1e-4)


def test_density_is_tanh_beyond_the_threshold():
    difference = np.array([1.0, 0.0, -0.5, -1.5], np.float32)
    expected = [0, 0, 0, np.tanh(2.0)]
    np.testing.assert_allclose(drawing.density(difference, threshold=0.5, steepness=2.0), expected)


def test_specks_go_and_lines_stay():
    lines = np.zeros([12, 20], np.float32)
    lines[2, 2:5] = 1
    lines[8, 3:17] = 0.9
    kept = drawing.remove_specks(lines, least=8)
    assert kept[2].max() == 0
    np.testing.assert_array_equal(kept[8], lines[8])


def test_areas_lose_their_grain_and_keep_their_edge(halves):
    random = np.random.default_rng(1)
    noisy = halves + random.normal(0, 0.02, halves.shape).astype(np.float32)
    drawn = draw(noisy, NO_INK)[0]
    assert drawn[4:-4, 4:24].std() < 0.6 * noisy[0, 4:-4, 4:24].std()
    assert drawn[20, 32, 1] - drawn[20, 24, 1] > 0.5


def test_pictures_do_not_mix_and_stay_in_range():
    one = np.random.default_rng(3).uniform(-1, 1, [1, 24, 40, 3]).astype(np.float32)
    both = draw(np.concatenate([one, -one]), STYLE)
    assert both.dtype == np.float32
    assert np.abs(both).max() <= 1
    np.testing.assert_array_equal(both[:1], draw(one, STYLE))


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"expected pictures \[N, H, W, 3\], got \[4, 4, 3\]"):
        draw(np.zeros([4, 4, 3], np.float32), STYLE)
