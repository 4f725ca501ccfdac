from __future__ import annotations

import numpy as np
import pytest

from tests.ops.slow_structure import mean_in_float32, regions_of, slow_colors
from wbc_tf.ops.coloring import (
    adaptive_colors,
    region_deviations,
    region_means,
    region_medians,
)
from wbc_tf.ops.superpixels import felzenszwalb_labels, slic_labels


@pytest.fixture
def labels(blotches):
    return felzenszwalb_labels(blotches, min_size=10)


def test_slic_average_equals_the_released_program(golden):
    labels = slic_labels(golden.image, released=True)
    painted = region_means(golden.image, labels, released=True)[labels]
    np.testing.assert_allclose(painted, golden.slic_average, atol=1e-6)
    # The paper mode's sums are float64; the float32 sums of the golden are the less accurate ones.
    np.testing.assert_allclose(
        region_means(golden.image, labels)[labels], golden.slic_average, atol=1e-5
    )


def test_statistics_equal_loops(blotches, labels):
    means = region_means(blotches, labels)
    released = region_means(blotches, labels, released=True)
    deviations = region_deviations(blotches, labels)
    odd = np.arange(1, labels.max() + 1, 2)
    medians = region_medians(blotches, labels, odd)
    for label, pixels in regions_of(labels).items():
        values = np.array([blotches[p] for p in pixels], np.float64)
        np.testing.assert_allclose(means[label], values.mean(axis=0), atol=1e-7)
        np.testing.assert_array_equal(released[label], mean_in_float32(blotches, pixels))
        np.testing.assert_allclose(deviations[label], values.std(), atol=1e-12)
        if label in odd:
            expected = np.median(values, axis=0)
            np.testing.assert_allclose(medians[list(odd).index(label)], expected, atol=1e-7)


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("power", [1.0, 1.2])
def test_adaptive_colors_equal_loops(blotches, labels, power, released):
    # Another contrast in each half, so that both thresholds lie among the deviations.
    image = blotches * np.linspace(0.05, 1, blotches.shape[1], dtype=np.float32)[:, np.newaxis]
    labels = labels // 3
    np.testing.assert_allclose(
        adaptive_colors(image, labels, power=power, released=released)[labels],
        slow_colors(image, labels, power=power, released=released),
        atol=2e-6,
    )


def test_thresholds_are_on_the_byte_scale():
    """Half at 0 and half at twice the deviation, plus one outlier to part mean and median."""

    def color(deviation):
        bytes_ = np.array([0.0, 0.0, 0.0, 4.0]) * deviation / np.sqrt(3)
        image = np.repeat(bytes_[:, np.newaxis] / 127.5 - 1, 3, axis=1)[np.newaxis]
        colors = adaptive_colors(image.astype(np.float32), np.zeros((1, 4), int), power=1.0)
        return (colors[0, 0] + 1) * 127.5 / deviation * np.sqrt(3)

    assert color(19.9) == pytest.approx(1, abs=1e-4)  # the mean
    assert color(20.1) == pytest.approx(0.5, abs=1e-4)
    assert color(39.9) == pytest.approx(0.5, abs=1e-4)
    assert color(40.1) == pytest.approx(0, abs=1e-4)  # the median


def test_power_acts_between_0_and_1():
    image = np.array([[[-1.0, 0.0, 1.0]]], np.float32)
    colors = adaptive_colors(image, np.zeros((1, 1), int), power=1.2)
    np.testing.assert_allclose(colors, [[-1, 2 * 0.5**1.2 - 1, 1]], atol=1e-6)


def test_released_stretches_to_the_brightest():
    image = np.array([[[-1.0, -0.5, -0.2]]], np.float32)
    colors = adaptive_colors(image, np.zeros((1, 1), int), power=1.0, released=True)
    np.testing.assert_allclose(colors, [[-1, 2 * 0.5 / 0.8 - 1, 1]], atol=1e-6)


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("value", [-1.0, -3.0])
def test_nothing_to_stretch_is_black(value, released):
    image = np.full((3, 5, 3), value, np.float32)
    colors = adaptive_colors(image, np.zeros((3, 5), int), released=released)
    np.testing.assert_array_equal(colors, [[-1, -1, -1]])


def test_unused_numbers_are_black_and_change_nothing():
    image = np.full((2, 2, 3), -0.8, np.float32)
    labels = np.full((2, 2), 3)
    for released in (False, True):
        np.testing.assert_array_equal(region_means(image, labels, released=released)[:3], -1)
        assert (adaptive_colors(image, labels, released=released)[:3] == -1).all()
    np.testing.assert_allclose(adaptive_colors(image, labels, released=True)[3], 1)
