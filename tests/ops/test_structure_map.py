from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wbc_tf.ops.coloring import adaptive_colors
from wbc_tf.ops.selective_search import merge_regions
from wbc_tf.ops.structure_map import KINDS, structure_map
from wbc_tf.ops.superpixels import felzenszwalb_labels


@pytest.mark.parametrize("power", [1.0, 1.2])
def test_adaptive_equals_the_released_program(golden, power):
    painted = structure_map(golden.image, power=power, released=True)
    expected = getattr(golden, f"adaptive_power_{power}".replace(".", "_"))
    np.testing.assert_allclose(painted, expected, atol=1e-5)


def test_slic_equals_the_released_program(golden):
    painted = structure_map(golden.image, kind="slic", released=True)
    np.testing.assert_allclose(painted, golden.slic_average, atol=1e-6)


def test_adaptive_is_its_three_steps(blotches):
    options = {"min_size": 8, "scale": 20.0}
    labels = felzenszwalb_labels(blotches, **options)
    merged = merge_regions(blotches, labels, segments=12)
    expected = adaptive_colors(blotches, merged, power=1.5)[merged]
    painted = structure_map(blotches, segments=12, power=1.5, **options)
    np.testing.assert_array_equal(painted, expected)


def test_felzenszwalb_paints_means(blotches):
    painted = structure_map(blotches, kind="felzenszwalb", scale=30.0, min_size=20)
    labels = felzenszwalb_labels(blotches, scale=30.0, min_size=20)
    for label in np.unique(labels):
        mean = blotches[labels == label].mean(axis=0, dtype=np.float64)
        assert np.abs(painted[labels == label] - mean).max() < 1e-6


def test_a_picture_that_is_flat_already_stays_as_it_is():
    image = np.full((64, 40, 3), -0.7, np.float32)
    image[:, 20:] = (0.8, 0.1, -0.3)
    for kind in ("slic", "felzenszwalb"):
        painted = structure_map(image, kind=kind, min_size=500)
        # Only the pixels at the border may be counted to either side, which tints the means.
        np.testing.assert_allclose(painted[:, :16], image[:, :16], atol=0.2)
        np.testing.assert_allclose(painted[:, 24:], image[:, 24:], atol=0.2)


@settings(max_examples=80, deadline=None)
@given(
    image=hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64]),
        st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3)),
        elements=st.one_of(
            st.floats(width=16), st.sampled_from([-1.0, 1.0, np.nan, np.inf, -np.inf, 6e4])
        ),
    ),
    kind=st.sampled_from(KINDS),
    segments=st.sampled_from([1, 4, 200]),
    min_size=st.sampled_from([1, 5, 100]),
    power=st.sampled_from([0.3, 1.2, 7.0]),
    released=st.booleans(),
)
def test_finite_and_in_range_whatever_comes_in(image, kind, segments, min_size, power, released):
    painted = structure_map(
        image, kind=kind, segments=segments, min_size=min_size, power=power, released=released
    )
    assert painted.dtype == np.float32
    assert painted.shape == image.shape
    assert np.isfinite(painted).all()
    assert np.abs(painted).max() <= 1


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_outside_counts_as_the_nearest_inside(blotches, kind, released):
    wild = blotches.copy()
    wild[3, :5], wild[9, :, 1], wild[20, 4] = 1e30, -np.inf, np.nan
    tame = blotches.copy()
    tame[3, :5], tame[9, :, 1], tame[20, 4] = 1, -1, 0
    options = {"kind": kind, "min_size": 5, "segments": 15, "released": released}
    np.testing.assert_array_equal(
        structure_map(wild, **options), structure_map(tame.astype(np.float64), **options)
    )
    assert wild[3, 0, 0] == np.float32(1e30)  # The caller's picture is left alone.


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"kind": "snowflakes"}, ValueError, "adaptive, slic, felzenszwalb"),
        ({"power": 0.0}, ValueError, "power is 0.0"),
        ({"power": float("nan")}, ValueError, "power is nan"),
        ({"segments": 0}, ValueError, "segments is 0"),
        ({"image": np.zeros((4, 4, 3), np.uint8)}, TypeError, "127.5"),
        ({"image": np.zeros((4, 4), np.float32)}, ValueError, r"\(4, 4\)"),
        ({"image": np.zeros((0, 4, 3), np.float32)}, ValueError, r"\(0, 4, 3\)"),
    ],
)
def test_mistakes_are_named(change, error, message):
    options = {"image": np.zeros((4, 4, 3), np.float32), **change}
    with pytest.raises(error, match=message):
        structure_map(options.pop("image"), **options)
