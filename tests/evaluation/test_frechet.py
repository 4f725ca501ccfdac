from __future__ import annotations

import logging

import numpy as np
import pytest
import scipy.linalg

from wbc_tf.evaluation.frechet import Gaussian, GaussianStream, frechet_distance, gaussian_of


def _gaussian(mean, covariance, count=10**6):
    return Gaussian(np.asarray(mean, float), np.asarray(covariance, float), count)


def _covariance(random, dimension):
    root = random.normal(size=[dimension, dimension + 3])
    return root @ root.T / dimension


def _by_the_products_root(a, b):
    """The formula as Dowson & Landau print it, by SciPy's root of a general matrix."""
    root = scipy.linalg.sqrtm(a.covariance @ b.covariance)
    shift = a.mean - b.mean
    return shift @ shift + np.trace(a.covariance + b.covariance - 2 * root.real)


def test_one_dimension_by_hand():
    # (5 - 2)^2 + (3 - 2)^2
    assert frechet_distance(_gaussian([2], [[4]]), _gaussian([5], [[9]])) == pytest.approx(10)


def test_diagonal_covariances_are_so_many_single_dimensions():
    a = _gaussian([0, 1, 2], np.diag([1, 4, 9]))
    b = _gaussian([1, 1, 0], np.diag([4, 4, 1]))
    assert frechet_distance(a, b) == pytest.approx((1 + 0 + 4) + (1 + 0 + 4))


def test_full_covariances_agree_with_the_root_of_the_product():
    random = np.random.default_rng(0)
    a = _gaussian(random.normal(size=7), _covariance(random, 7))
    b = _gaussian(random.normal(size=7), _covariance(random, 7))
    expected = _by_the_products_root(a, b)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-9)


def test_full_covariances_by_hand():
    # Both have the axes of a 45 degree turn, so the roots are those of the variances along them.
    turn = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    a = _gaussian([0, 0], turn @ np.diag([9, 1]) @ turn)
    b = _gaussian([0, 2], turn @ np.diag([4, 25]) @ turn)
    assert frechet_distance(a, b) == pytest.approx(4 + 1 + 16)


def test_singular_covariances_are_exact_and_warned_of(caplog):
    turn = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    flat = _gaussian([0, 0], turn @ np.diag([9, 0]) @ turn)
    across = _gaussian([0, 0], turn @ np.diag([0, 4]) @ turn)
    with caplog.at_level(logging.WARNING):
        # Without a common direction nothing is shared: 9 + 4 - 0.
        assert frechet_distance(flat, across) == pytest.approx(13, abs=1e-9)
        assert frechet_distance(flat, flat) == pytest.approx(0, abs=1e-12)
    assert "1000000 samples has rank 1 of 2" in caplog.text


def test_constant_features_leave_the_means():
    a, b = _gaussian([0, 0], np.zeros([2, 2])), _gaussian([3, 4], np.zeros([2, 2]))
    assert frechet_distance(a, b) == 25


@pytest.mark.parametrize(("count", "dimension"), [(2000, 6), (40, 64)])
def test_a_set_with_itself(count, dimension):
    random = np.random.default_rng(1)
    mixing = random.normal(size=[dimension, dimension])
    gaussian = gaussian_of(random.normal(size=[count, dimension]) @ mixing + 5)
    assert frechet_distance(gaussian, gaussian) <= 1e-6 * np.trace(gaussian.covariance)


def test_samples_of_known_gaussians_come_within_a_percent():
    random = np.random.default_rng(2)
    a = _gaussian(random.normal(size=5), _covariance(random, 5))
    b = _gaussian(random.normal(size=5) + 1, _covariance(random, 5))
    samples = [random.multivariate_normal(g.mean, g.covariance, size=40_000) for g in (a, b)]
    measured = frechet_distance(*map(gaussian_of, samples))
    assert measured == pytest.approx(_by_the_products_root(a, b), rel=0.01)


def test_too_few_samples_are_warned_of_with_the_numbers(caplog):
    random = np.random.default_rng(3)
    few, enough = random.normal(size=[12, 20]), random.normal(size=[21, 20])
    with caplog.at_level(logging.WARNING):
        frechet_distance(gaussian_of(enough), gaussian_of(enough))
        assert caplog.text == ""
        frechet_distance(gaussian_of(few), gaussian_of(enough))
        frechet_distance(gaussian_of(few), gaussian_of(few))
    assert len(caplog.records) == 2
    assert "12 samples are too few" in caplog.text
    assert "20 dimensions (its rank is 11)" in caplog.text
    assert "Take 21 or more" in caplog.text


def test_a_matrix_whose_root_is_complex_is_refused_with_its_numbers():
    good, bad = _gaussian([0, 0], np.eye(2)), _gaussian([0, 0], np.diag([2, -0.5]))
    with pytest.raises(ValueError, match=r"from -0\.5 to 2"):
        frechet_distance(good, bad)


def test_other_dimensions_are_refused():
    with pytest.raises(ValueError, match="2 and 3 dimensions"):
        frechet_distance(_gaussian([0, 0], np.eye(2)), _gaussian([0, 0, 0], np.eye(3)))


def test_many_features_are_taken_in_parts():
    features = np.random.default_rng(5).normal(7, 2, [2500, 3])
    gaussian = gaussian_of(features)
    np.testing.assert_allclose(gaussian.mean, features.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(gaussian.covariance, np.cov(features, rowvar=False), rtol=1e-10)
    assert gaussian.count == 2500


@pytest.mark.parametrize("batch", [1, 7, 64, 300])
def test_neither_batch_size_nor_order_matter(batch):
    # Far from zero, where a sum of squares would lose half its digits.
    random = np.random.default_rng(4)
    features = (random.normal(size=[300, 5]) @ _covariance(random, 5) + 1e4).astype(np.float32)
    stream = GaussianStream(5)
    shuffled = random.permutation(features)
    for first in range(0, len(features), batch):
        stream.add(shuffled[first : first + batch])
    gaussian = stream.gaussian()
    assert gaussian.count == 300
    np.testing.assert_allclose(gaussian.mean, features.astype(np.float64).mean(axis=0), rtol=1e-13)
    expected = np.cov(features.astype(np.float64), rowvar=False)
    np.testing.assert_allclose(gaussian.covariance, expected, rtol=1e-9, atol=1e-9)


def test_an_empty_batch_changes_nothing():
    features = np.arange(12.0).reshape(6, 2) ** 2
    stream = GaussianStream(2)
    for batch in (features[:0], features, features[:0]):
        stream.add(batch)
    np.testing.assert_array_equal(stream.gaussian().covariance, gaussian_of(features).covariance)


def test_a_gaussian_does_not_change_with_the_stream_it_came_from():
    stream = GaussianStream(1)
    stream.add(np.array([[1.0], [3.0]]))
    before = stream.gaussian()
    stream.add(np.array([[80.0]]))
    assert (before.mean, before.covariance, before.count) == (2.0, 2.0, 2)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros([1, 3]), "takes 2 samples or more, not 1"),
        (np.zeros([4]), r"expected features \[N, D\], got \[4\]"),
        (np.array([[0.0, 1], [np.nan, 2], [np.inf, 3]]), "2 of 3 feature vectors"),
    ],
)
def test_features_that_have_no_gaussian(features, message):
    with pytest.raises(ValueError, match=message):
        gaussian_of(features)


def test_a_stream_takes_features_of_its_dimension_only():
    with pytest.raises(ValueError, match=r"expected features \[N, 3\], got \[2, 4\]"):
        GaussianStream(3).add(np.zeros([2, 4]))
