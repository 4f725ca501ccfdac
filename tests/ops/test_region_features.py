from __future__ import annotations

import numpy as np
import pytest
from skimage.feature import local_binary_pattern

from wbc_tf.ops.region_features import local_binary_patterns, region_features


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (5, 1), (33, 70), (130, 20)])
@pytest.mark.parametrize("side", [1, 6])
@pytest.mark.filterwarnings("ignore:Applying `local_binary_pattern`")
def test_patterns_equal_scikit_image_to_the_bit(shape, side):
    """With blocks of one colour, where rounding decides (side 6), and without."""
    random = np.random.default_rng(0)
    blocks = random.normal(0, 40, shape).astype(np.float32)
    channel = np.kron(blocks, np.ones((side, side), np.float32))[: shape[0], : shape[1]]
    np.testing.assert_array_equal(
        local_binary_patterns(channel), local_binary_pattern(channel, 8, 1)
    )


def test_features_of_two_regions():
    image = np.full((4, 6, 3), -1.0, np.float32)
    labels = np.zeros((4, 6), int)
    image[1:3, 2:5] = 1.0
    labels[1:3, 2:5] = 1
    color, texture, size, box = region_features(image, labels)
    np.testing.assert_array_equal(size, [18, 6])
    np.testing.assert_array_equal(box, [[0, 0, 4, 6], [1, 2, 3, 5]])
    # Black is L 0, white is L 100; neither has colour, and 0 lies in the middle bin of a and b.
    for region, light in ((0, 0), (1, 24)):
        np.testing.assert_array_equal(np.flatnonzero(color[region]), [light, 25 + 12, 50 + 12])
        np.testing.assert_allclose(color[region].sum(), 1)
        np.testing.assert_allclose(texture[region].sum(), 1)
    # Black has L 0, and so has what lies beyond the border: nothing is darker than black.
    np.testing.assert_allclose(texture[0][9], 1 / 3)


def test_released_features_know_no_colour_and_one_size(blotches):
    labels = np.repeat(np.arange(4), 9)[np.newaxis].repeat(28, axis=0)
    labels[:, 0] = 1
    color, texture, size, _ = region_features(blotches, labels, released=True)
    assert (color == color[0]).all()
    assert (size == 10 * 28).all()
    assert texture.shape == (4, 30)


@pytest.mark.filterwarnings("ignore:Applying `local_binary_pattern`")
def test_released_texture_is_numpy_histogram(blotches):
    from skimage.color import rgb2lab

    from wbc_tf.ops.coloring import region_means

    labels = np.random.default_rng(3).integers(0, 40, blotches.shape[:2])
    _, texture, _, _ = region_features(blotches, labels, released=True)
    flat = region_means(blotches, labels, released=True)[labels][..., ::-1]
    lab = rgb2lab(np.ascontiguousarray(flat))
    for label in range(40):
        expected = np.concatenate(
            [
                np.histogram(local_binary_pattern(lab[..., c], 8, 1)[labels == label], 10)[0]
                for c in range(3)
            ]
        )
        np.testing.assert_array_equal(texture[label], expected / expected.sum())
