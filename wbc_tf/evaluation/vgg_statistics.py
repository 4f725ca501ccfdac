"""A Fréchet distance of style on VGG19's channel statistics.

Means and deviations of feature channels describe a picture's style and little of its content (Huang
& Belongie, "Arbitrary Style Transfer in Real-Time with Adaptive Instance Normalization", 2017).
Some hundred pictures are enough, where Inception's 2048 features need thousands: the features are
standardised by the style's own, and projected on the style's principal components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import tensorflow as tf

from wbc_tf.evaluation.frechet import frechet_distance, gaussian_of
from wbc_tf.images import to_float
from wbc_tf.losses.perceptual import VggFeatures

LAYERS = ("block1_conv2", "block2_conv2", "block3_conv4")
CROP = 256
#: One crop shows only a part of the picture; more crops than these add little.
CROPS_PER_PICTURE = 4
COMPONENTS = 32
#: One third of a style's pictures makes its space, the others are what is compared.
THIRD = 3


class VggStatistics:
    """From pictures to the channel statistics of random crops.

    Args:
      features: VGG19 up to the last of `LAYERS` or further.
    """

    #: Of one crop: mean and deviation of each channel, 64 + 128 + 256 of them.
    DIMENSION = 2 * (64 + 128 + 256)

    def __init__(self, features: VggFeatures) -> None:
        self._features = features

    def __call__(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """uint8 [H, W, 3] RGB pictures of any sizes -> float32 [N, CROPS_PER_PICTURE * DIMENSION].

        Where a picture is cropped follows from its size alone: neither order nor batches matter,
        and a photo and its cartoon are measured at the same places.
        """
        return np.stack([self._of(image) for image in images])

    def _of(self, image: np.ndarray) -> np.ndarray:
        maps = self._features.rectified(tf.constant(to_float(np.stack(_crops(image)))), LAYERS)
        moments = [tf.nn.moments(tf.cast(each, tf.float32), [1, 2]) for each in maps]
        parts = [part for mean, variance in moments for part in (mean, tf.sqrt(variance))]
        return np.asarray(tf.reshape(tf.concat(parts, axis=1), [-1]))


def _crops(image: np.ndarray) -> list[np.ndarray]:
    short = min(image.shape[:2])
    if short < CROP:
        size = [max(CROP, round(side * CROP / short)) for side in image.shape[1::-1]]
        image = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
    random = np.random.default_rng(image.shape[:2])
    tops = random.integers(0, image.shape[0] - CROP + 1, CROPS_PER_PICTURE)
    lefts = random.integers(0, image.shape[1] - CROP + 1, CROPS_PER_PICTURE)
    return [image[top : top + CROP, left : left + CROP] for top, left in zip(tops, lefts)]


def crop_rows(rows: np.ndarray) -> np.ndarray:
    """What `VggStatistics` returns, a row for each crop: [N * CROPS_PER_PICTURE, DIMENSION]."""
    return np.asarray(rows).reshape(-1, VggStatistics.DIMENSION)


@dataclass(frozen=True)
class StyleSpace:
    """The directions in which the pictures of a style differ.

    Attributes:
      mean: [D], of the style's features.
      deviation: [D].
      components: [D, K], orthonormal.
    """

    mean: np.ndarray
    deviation: np.ndarray
    components: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, *, components: int = COMPONENTS) -> StyleSpace:
        """Of [N, D] features.

        Raises:
          ValueError: no more features than components, which would then be arbitrary.
        """
        features = np.asarray(features, np.float64)
        if len(features) <= components:
            raise ValueError(
                f"{len(features)} samples of the style do not make {components} principal "
                f"components; take {components + 1} or more"
            )
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        # A channel that never changes in the style says nothing of a distance from it in units of
        # its own deviation.
        deviation = np.where(deviation > 0, deviation, np.inf)
        _, _, directions = np.linalg.svd((features - mean) / deviation, full_matrices=False)
        return cls(mean, deviation, directions[:components].T)

    def project(self, features: np.ndarray) -> np.ndarray:
        """[N, D] -> [N, K]."""
        return np.asarray(((features - self.mean) / self.deviation) @ self.components)


def split_style(rows: np.ndarray) -> tuple[StyleSpace, np.ndarray]:
    """A style's space, of every third of its pictures, and the crops of the others.

    Args:
      rows: of the style's pictures, as `VggStatistics` returns them.

    Raises:
      ValueError: too few pictures for the space.
    """
    space = StyleSpace.of(crop_rows(rows[::THIRD]))
    return space, crop_rows(np.delete(rows, np.s_[::THIRD], axis=0))


def style_distance(features: np.ndarray, style: np.ndarray, *, space: StyleSpace) -> float:
    """Fréchet distance of two sets of [N, D] features within a style's space."""
    return frechet_distance(gaussian_of(space.project(features)), gaussian_of(space.project(style)))
