import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.evaluation import vgg_statistics
from wbc_tf.evaluation.vgg_statistics import (
    CROPS_PER_PICTURE,
    LAYERS,
    StyleSpace,
    VggStatistics,
    crop_rows,
    style_distance,
)
from wbc_tf.losses.perceptual import VggFeatures


@pytest.fixture(scope="module")
def statistics():
    tf.keras.utils.set_random_seed(0)
    return VggStatistics(VggFeatures("vgg19", LAYERS[-1], weights="random"))


def picture(seed: int, shape: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def test_rows_do_not_depend_on_order_or_company(statistics):
    one, other = picture(0, (280, 300)), picture(1, (120, 200))
    together = statistics([one, other])
    assert together.shape == (2, CROPS_PER_PICTURE * VggStatistics.DIMENSION)
    np.testing.assert_array_equal(statistics([other])[0], together[1])
    np.testing.assert_array_equal(statistics([other, one]), together[::-1])
    assert crop_rows(together).shape == (2 * CROPS_PER_PICTURE, VggStatistics.DIMENSION)


def test_pictures_of_a_size_are_cropped_at_the_same_places():
    shape = (300, 400)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    places = np.stack([rows, columns % 256, columns // 256], axis=-1).astype(np.uint8)
    other = picture(3, shape)
    corners = set()
    for shown, crop in zip(vgg_statistics._crops(places), vgg_statistics._crops(other)):
        top, left = int(shown[0, 0, 0]), int(shown[0, 0, 1]) + 256 * int(shown[0, 0, 2])
        np.testing.assert_array_equal(crop, other[top : top + 256, left : left + 256])
        corners.add((top, left))
    assert len(corners) == CROPS_PER_PICTURE


def test_statistics_against_numpy(statistics):
    image = picture(2, (256, 256))  # the only crop there is
    maps = statistics._features.rectified(tf.constant(image[None] / 127.5 - 1, tf.float32), LAYERS)
    expected = []
    for each in maps:
        values = np.asarray(each, np.float64)[0]
        assert values.min() == 0  # after the ReLU
        expected += [values.mean((0, 1)), values.std((0, 1))]
    for row in crop_rows(statistics([image])):
        np.testing.assert_allclose(row, np.concatenate(expected), rtol=1e-3, atol=1e-4)


def test_the_space_is_the_styles_principal_components():
    generator = np.random.default_rng(0)
    strong, weak = generator.normal(size=(2, 4000, 1))
    # Two directions that carry everything, whatever the scale of a feature.
    features = np.hstack([5 + 100 * strong, -strong, 1e-3 * weak, np.full_like(weak, 7)])
    space = StyleSpace.of(features, components=2)
    projected = space.project(features)
    np.testing.assert_allclose(projected.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(projected.std(0), [np.sqrt(2), 1], rtol=0.03)
    np.testing.assert_allclose(space.components.T @ space.components, np.eye(2), atol=1e-9)
    # A feature that never changes in the style takes no part.
    np.testing.assert_allclose(space.project(features + np.array([0, 0, 0, 9])), projected)


def test_the_distance_of_shifted_features_is_the_shift_squared():
    style = np.random.default_rng(1).normal(size=(500, 3))
    space = StyleSpace.of(style, components=3)
    assert style_distance(style, style, space=space) == pytest.approx(0, abs=1e-9)
    shifted = style + np.array([3 * style[:, 0].std(), 0, 0])
    assert style_distance(shifted, style, space=space) == pytest.approx(9)


def test_too_few_samples_for_a_space_are_refused():
    with pytest.raises(ValueError, match="32 samples of the style do not make 32 principal"):
        StyleSpace.of(np.zeros((32, 40)))
