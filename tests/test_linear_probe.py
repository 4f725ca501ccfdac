from __future__ import annotations

import numpy as np
import pytest

from benchmarks._linear_probe import LinearProbe, held_out_accuracy


@pytest.fixture
def kinds():
    """Features of two kinds that differ in their first column alone; the last never changes."""
    random = np.random.default_rng(0)
    rows = random.normal(0, 1, [2, 40, 6])
    rows[0, :, 0] += 6
    rows[..., -1] = 3.0
    return rows[0], rows[1]


def test_the_fit_is_a_minimum_of_the_penalised_loss(kinds):
    drawn, photos = kinds
    probe = LinearProbe.fit(drawn, photos, penalty=0.1)
    both = (np.concatenate(kinds) - probe.mean) / probe.deviation
    signs = np.repeat([1, -1], len(drawn))

    def loss(weights):
        return np.logaddexp(0, -signs * (both @ weights + probe.bias)).mean() + 0.05 * (
            weights @ weights
        )

    least = loss(probe.weights)
    for column in range(6):
        for step in (-0.05, 0.05):
            assert loss(probe.weights + step * np.eye(6)[column]) > least
    assert np.argmax(np.abs(probe.weights)) == 0


def test_the_probability_tells_the_kinds_apart(kinds):
    probe = LinearProbe.fit(*kinds)
    drawn, photos = (probe.probability(rows) for rows in kinds)
    assert drawn.min() > 0.5 > photos.max()
    between = probe.probability((kinds[0].mean(0) + kinds[1].mean(0))[None] / 2)
    np.testing.assert_allclose(between, 0.5, atol=0.05)


def test_held_out_accuracy_is_full_where_kinds_differ_and_half_where_not(kinds):
    crops = [rows.reshape(20, 2, 6) for rows in kinds]
    assert held_out_accuracy(*crops) == 1.0
    noise = np.random.default_rng(1).normal(0, 1, [2, 60, 2, 6])
    assert 0.3 < held_out_accuracy(*noise) < 0.7
