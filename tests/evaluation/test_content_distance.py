import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.evaluation.content_distance import content_distance
from wbc_tf.losses.perceptual import VggFeatures


@pytest.fixture(scope="module")
def features():
    tf.keras.utils.set_random_seed(0)
    return VggFeatures("vgg19", "block2_conv1", weights="random")


def picture(seed: int, shape: tuple[int, int] = (20, 28)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def test_a_picture_is_at_no_distance_from_itself(features):
    assert content_distance(picture(0), picture(0), features) == pytest.approx(0, abs=1e-6)


def test_vectors_of_known_angles():
    # Stand-in features whose angle is known: the picture's own channels.
    red, green, white = (
        np.full((4, 6, 3), colour, np.uint8)
        for colour in ((255, 127, 127), (127, 255, 127), (255, 255, 255))
    )

    def channels(images):
        return tf.maximum(images, 0)

    assert content_distance(red, green, channels) == pytest.approx(1)
    assert content_distance(red, white, channels) == pytest.approx(1 - 1 / np.sqrt(3), abs=1e-6)


def test_against_numpy(features):
    one, other = picture(1), picture(2)
    a, b = (
        np.asarray(features(tf.constant(image[None] / 127.5 - 1, tf.float32)), np.float64)[0]
        for image in (one, other)
    )
    cosines = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    assert content_distance(one, other, features) == pytest.approx(1 - cosines.mean(), abs=1e-5)


def test_other_sizes_are_refused(features):
    with pytest.raises(ValueError, match=r"one size, not \(20, 28\) and \(20, 24\)"):
        content_distance(picture(0), picture(0, (20, 24)), features)
