"""How drawn a picture looks to a linear probe: logistic regression on VGG19's channel statistics.

The probe learns to tell comic panels from photos (Alain, Bengio, "Understanding intermediate layers
using linear classifier probes", 2016). What it says of a cartoon is a probability of "drawn".
Other than a distance to the panels, it depends little on what the measured photos show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

#: Of the penalty on the weights, half their squared length; features have deviation 1. With some
#: hundred pictures and 896 features a weaker one tells training pictures apart and little else.
PENALTY = 0.1


@dataclass(frozen=True)
class LinearProbe:
    """A fitted probe.

    Attributes:
      mean: [D], of the features.
      deviation: [D].
      weights: [D].
      bias: scalar.
    """

    mean: np.ndarray
    deviation: np.ndarray
    weights: np.ndarray
    bias: float

    @classmethod
    def fit(cls, drawn: np.ndarray, photos: np.ndarray, *, penalty: float = PENALTY) -> LinearProbe:
        """Logistic regression; both kinds weigh the same, however many there are of each.

        Args:
          drawn: [N, D] features of drawn pictures.
          photos: [M, D] features of photos.
          penalty: see `PENALTY`.
        """
        features = np.concatenate([drawn, photos]).astype(np.float64)
        signs = np.repeat([1.0, -1.0], [len(drawn), len(photos)])
        shares = np.repeat([0.5 / len(drawn), 0.5 / len(photos)], [len(drawn), len(photos)])
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        deviation = np.where(deviation > 0, deviation, np.inf)  # a constant feature says nothing
        inputs = (features - mean) / deviation

        def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
            weights, bias = parameters[:-1], parameters[-1]
            margins = signs * (inputs @ weights + bias)
            value = shares @ np.logaddexp(0, -margins) + penalty / 2 * weights @ weights
            slopes = -shares * signs * expit(-margins)
            return value, np.append(inputs.T @ slopes + penalty * weights, slopes.sum())

        found = minimize(loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B")
        return cls(mean, deviation, found.x[:-1], float(found.x[-1]))

    def probability(self, features: np.ndarray) -> np.ndarray:
        """Of being drawn, for each of [N, D] features: [N], 0 to 1."""
        inputs = (np.asarray(features, np.float64) - self.mean) / self.deviation
        return np.asarray(expit(inputs @ self.weights + self.bias))


def held_out_accuracy(drawn: np.ndarray, photos: np.ndarray) -> float:
    """Share of the pictures that a probe fitted to the other half of them names rightly.

    Args:
      drawn: [N, K, D]: K crops of each drawn picture, which never part between the halves.
      photos: [M, K, D], likewise.
    """
    right = []
    for half in (0, 1):
        seen = [rows[half::2].reshape(-1, rows.shape[-1]) for rows in (drawn, photos)]
        probe = LinearProbe.fit(*seen)
        for rows, is_drawn in ((drawn, True), (photos, False)):
            others = rows[1 - half :: 2]
            chance = probe.probability(others.reshape(-1, rows.shape[-1])).reshape(len(others), -1)
            right += list((chance.mean(axis=1) > 0.5) == is_drawn)
    return float(np.mean(right))
