from __future__ import annotations

import numpy as np
import pytest

from wbc_tf.evaluation import kernel
from wbc_tf.evaluation.kernel import KernelDistance, kernel_distance


def _slowly(a, b):
    """The definition, pair by pair."""

    def k(x, y):
        return (sum(float(p) * float(q) for p, q in zip(x, y)) / len(x) + 1) ** 3

    def within(features):
        n = len(features)
        pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
        return sum(k(features[i], features[j]) for i, j in pairs) / len(pairs)

    between = sum(k(x, y) for x in a for y in b) / (len(a) * len(b))
    return within(a) + within(b) - 2 * between


def _slow_error(a, b):
    """The jackknife's definition: the estimate anew without each feature."""
    variance = 0.0
    for mine, estimate in ((a, lambda rest: _slowly(rest, b)), (b, lambda rest: _slowly(a, rest))):
        left = np.array([estimate(np.delete(mine, i, axis=0)) for i in range(len(mine))])
        variance += (len(mine) - 1) / len(mine) * ((left - left.mean()) ** 2).sum()
    return np.sqrt(variance)


def _sets(m=6, n=9, dimension=4, shift=0.5):
    random = np.random.default_rng(0)
    return random.normal(size=[m, dimension]), random.normal(size=[n, dimension]) * 1.5 + shift


def test_agrees_with_the_definition_pair_by_pair(monkeypatch):
    a, b = _sets()
    monkeypatch.setattr(kernel, "_ROWS", 4)  # so that the sets are more than one block, and uneven
    found = kernel_distance(a, b)
    assert found.value == pytest.approx(_slowly(a, b), rel=1e-12)
    assert found.standard_error == pytest.approx(_slow_error(a, b), rel=1e-10)
    assert kernel_distance(b, a).value == pytest.approx(found.value, rel=1e-12)


def test_by_hand():
    # In one dimension: k(1, 1) = 8, k(0, anything) = 1.
    assert kernel_distance(np.ones([3, 1]), np.zeros([4, 1])).value == 8 + 1 - 2 * 1
    assert kernel_distance(np.ones([3, 1]), np.zeros([4, 1])).standard_error == 0


def test_expectation_over_gaussians_and_its_interval():
    """Unbiased at 40 and 60 samples, with intervals that hold the truth about as often as said.

    In one dimension the kernel is 1 + 3xy + 3(xy)^2 + (xy)^3, so the squared discrepancy is the sum
    of 3, 3 and 1 times the squared differences of the first three moments.
    """
    random = np.random.default_rng(1)
    (mean_a, deviation_a), (mean_b, deviation_b) = (0.2, 0.3), (0.5, 0.3)

    def moments(mean, deviation):
        return np.array([mean, mean**2 + deviation**2, mean**3 + 3 * mean * deviation**2])

    truth = [3, 3, 1] @ (moments(mean_a, deviation_a) - moments(mean_b, deviation_b)) ** 2
    found = [
        kernel_distance(
            random.normal(mean_a, deviation_a, [40, 1]), random.normal(mean_b, deviation_b, [60, 1])
        )
        for _ in range(2000)
    ]
    values = np.array([each.value for each in found])
    # Four standard errors of the mean; the biased estimate is off by more than five.
    assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(len(values))
    held = np.mean([low <= truth <= high for low, high in (each.interval for each in found)])
    # 0.95 of a Gaussian's; what a cubic makes of one has a longer tail.
    assert 0.90 < held < 0.97
    assert np.mean([each.standard_error for each in found]) == pytest.approx(values.std(), rel=0.15)


def test_sets_of_one_source_scatter_around_zero():
    random = np.random.default_rng(2)
    found = [
        kernel_distance(random.normal(size=[20, 8]), random.normal(size=[30, 8]))
        for _ in range(300)
    ]
    values = [each.value for each in found]
    assert min(values) < 0 < max(values)
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))
    held = np.mean([low <= 0 <= high for low, high in (each.interval for each in found)])
    assert held > 0.95


def test_order_does_not_matter():
    a, b = _sets(30, 20)
    turned = kernel_distance(a[::-1], np.roll(b, 7, axis=0))
    assert turned.value == pytest.approx(kernel_distance(a, b).value, rel=1e-12)
    assert turned.standard_error == pytest.approx(kernel_distance(a, b).standard_error, rel=1e-12)


def test_the_interval_is_two_standard_errors_wide_on_either_side():
    assert KernelDistance(5.0, 10.0).interval == pytest.approx((-14.6, 24.6))


@pytest.mark.parametrize(
    ("a", "message"),
    [
        (np.zeros([2, 4]), "takes 3 features, not 2"),
        (np.zeros([5, 3]), "3 and 4 dimensions"),
        (np.zeros([5]), r"expected features \[N, D\], got \[5\]"),
        (np.full([5, 4], np.nan), "5 of 5 feature vectors"),
    ],
)
def test_features_that_have_no_distance(a, message):
    with pytest.raises(ValueError, match=message):
        kernel_distance(a, _sets()[1])
