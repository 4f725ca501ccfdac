"""Fréchet distance between two sets of features, each taken for a Gaussian.

Dowson & Landau, "The Fréchet distance between multivariate normal distributions" (1982); on
Inception features it is the FID of Heusel et al. (NeurIPS 2017, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
from absl import logging

#: How far below zero an eigenvalue may lie, in units of the largest, and still be rounding.
_ROUNDING = 1e-6
#: Features in float64 at once: of 2048 dimensions 17 MB.
_ROWS = 1024


@dataclass(frozen=True, eq=False)
class Gaussian:
    """What is left of N feature vectors.

    Attributes:
      mean: float64 [D].
      covariance: float64 [D, D], over N - 1.
      count: N.
    """

    mean: np.ndarray
    covariance: np.ndarray
    count: int

    @cached_property
    def square_root(self) -> np.ndarray:
        """[D, rank] R with ``R R^T`` the covariance: its symmetric root, but for a rotation.

        At 2048 dimensions it takes seconds, so each Gaussian does it once. Raises `ValueError` for
        a matrix that is no covariance.
        """
        values, vectors = scipy.linalg.eigh(self.covariance, driver="evd")
        if values[0] < -_ROUNDING * abs(values[-1]):
            raise ValueError(
                f"no covariance: its eigenvalues reach from {values[0]:.3g} to {values[-1]:.3g}, "
                "and must not be negative (its square root would be complex)"
            )
        kept = values > len(values) * np.finfo(np.float64).eps * values[-1]
        # Without the directions that hold nothing: of few samples they are nearly all.
        return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


class GaussianStream:
    """Mean and covariance of features that come in batches, whatever their sizes and order.

    Batches are merged by their means and scatter matrices (Chan, Golub & LeVeque 1979) in float64:
    a plain sum of squares would lose the covariance of features that lie far from zero.
    """

    def __init__(self, dimension: int) -> None:
        self._count = 0
        self._mean = np.zeros(dimension)
        self._scatter = np.zeros((dimension, dimension))

    def add(self, features: np.ndarray) -> None:
        """Takes in [N, D] features.

        Raises:
          ValueError: another shape, or values that are not finite.
        """
        features = np.asarray(features, np.float64)
        dimension = len(self._mean)
        if features.ndim != 2 or features.shape[1] != dimension:
            raise ValueError(f"expected features [N, {dimension}], got {list(features.shape)}")
        broken = int((~np.isfinite(features)).any(axis=1).sum())
        if broken:
            raise ValueError(f"{broken} of {len(features)} feature vectors hold NaN or infinity")
        if len(features) == 0:
            return
        mean = features.mean(axis=0)
        centred = features - mean
        total = self._count + len(features)
        shift = mean - self._mean
        between = self._count * len(features) / total
        self._scatter += centred.T @ centred + between * np.outer(shift, shift)
        self._mean += shift * (len(features) / total)
        self._count = total

    def gaussian(self) -> Gaussian:
        """The Gaussian of all features so far.

        Raises:
          ValueError: fewer than two, which have no covariance.
        """
        if self._count < 2:
            raise ValueError(f"a covariance takes 2 samples or more, not {self._count}")
        return Gaussian(self._mean.copy(), self._scatter / (self._count - 1), self._count)


def gaussian_of(features: np.ndarray) -> Gaussian:
    """The Gaussian of [N, D] features, N at least 2; see `GaussianStream` for its errors."""
    features = np.asarray(features)
    if features.ndim != 2:
        raise ValueError(f"expected features [N, D], got {list(features.shape)}")
    stream = GaussianStream(features.shape[1])
    for first in range(0, len(features), _ROWS):
        stream.add(features[first : first + _ROWS])
    return stream.gaussian()


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """Squared Fréchet distance: ``|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2))``.

    The trace of the product's root is the sum of the singular values of ``C_a^(1/2) C_b^(1/2)``.
    Taken that way it stays real and exact where a covariance is singular; the root of the product
    itself turns complex there, and takes an error of 1e-16 for 1e-8. A singular covariance still
    says something of the data, most often that the samples are too few, so it is warned of.

    Raises:
      ValueError: Gaussians of different dimensions, or a matrix that is no covariance.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"Gaussians of {len(a.mean)} and {len(b.mean)} dimensions")
    remarks = [_remark(gaussian) for gaussian in (a, b)]
    for remark in filter(None, dict.fromkeys(remarks)):  # of two sets alike, once
        logging.warning("%s", remark)
    overlap = scipy.linalg.svdvals(a.square_root.T @ b.square_root).sum()
    shift = a.mean - b.mean
    distance = shift @ shift + np.trace(a.covariance) + np.trace(b.covariance) - 2 * overlap
    # The overlap never exceeds half the traces' sum, but by rounding.
    return float(max(distance, 0.0))


def _remark(gaussian: Gaussian) -> str:
    """What to say of a singular covariance; nothing of another."""
    count, (dimension, rank) = gaussian.count, gaussian.square_root.shape
    if count <= dimension:
        return (
            f"{count} samples are too few for a covariance of {dimension} dimensions (its rank is "
            f"{rank}): the Fréchet distance comes out too large. Take {dimension + 1} or more, or "
            "compare only figures of as many samples."
        )
    if rank < dimension:
        return (
            f"A covariance of {count} samples has rank {rank} of {dimension}: some features are "
            "constant or repeat each other. The Fréchet distance counts them as they are."
        )
    return ""
