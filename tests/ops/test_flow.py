from __future__ import annotations

import numpy as np
import pytest

from wbc_tf.ops.flow import blur_along, difference_across, edge_tangents


def _stripes(degrees: float) -> np.ndarray:
    """Lightness that changes along a direction, in degrees from the x axis; 40 x 56."""
    rows, columns = np.indices([40, 56])
    along = np.cos(np.radians(degrees)) * columns + np.sin(np.radians(degrees)) * rows
    return (50 + 40 * np.sin(along / 3)).astype(np.float32)


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 135.0])
def test_tangents_run_along_the_stripes(degrees):
    tangents = edge_tangents(_stripes(degrees)[..., None], sigma=2.0)[6:-6, 6:-6]
    across = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    np.testing.assert_allclose(np.linalg.norm(tangents, axis=-1), 1, atol=1e-5)
    np.testing.assert_allclose(tangents @ across, 0, atol=0.05)


def test_the_difference_across_a_flow_is_that_of_two_gaussians():
    channel = _stripes(0.0)
    tangents = np.zeros([40, 56, 2], np.float32)
    tangents[..., 1] = 1  # straight down, so that across is along x
    offsets = np.arange(-4, 5)
    narrow, wide = (np.exp(-0.5 * (offsets / sigma) ** 2) for sigma in (1.0, 1.6))
    kernel = narrow / narrow.sum() - wide / wide.sum()
    expected = np.convolve(channel[20], kernel, mode="same")
    found = difference_across(channel, tangents, sigma=1.0, ratio=1.6)
    np.testing.assert_allclose(found[20, 5:-5], expected[5:-5], atol=1e-3)


def test_a_blur_along_the_stripes_keeps_them_and_takes_the_noise():
    stripes = _stripes(30.0)
    noise = np.random.default_rng(0).normal(0, 5, stripes.shape).astype(np.float32)
    tangents = edge_tangents(stripes[..., None], sigma=2.0)
    # Vectors of either sign mean the same flow.
    tangents[::2] *= -1
    blurred = blur_along(stripes + noise, tangents, sigma=3.0)
    inner = (slice(10, -10), slice(10, -10))
    assert np.abs(blurred - stripes)[inner].std() < 0.6 * np.abs(noise)[inner].std()
    assert np.corrcoef(blurred[inner].ravel(), stripes[inner].ravel())[0, 1] > 0.99
