from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from skimage import data

from wbc_tf.ops import l0_smoothing as module
from wbc_tf.ops.l0_smoothing import l0_smoothing


def test_small_steps_go_and_large_ones_stay():
    random = np.random.default_rng(0)
    clean = np.full([1, 24, 40, 3], -0.5, np.float32)
    clean[:, 6:18, 10:30] = 0.5
    noisy = clean + random.uniform(-0.03, 0.03, clean.shape).astype(np.float32)
    smooth = l0_smoothing(noisy, strength=0.05)
    assert smooth.dtype == np.float32
    np.testing.assert_allclose(smooth, clean, atol=0.03)
    assert np.std(smooth[:, 8:16, 12:28]) < 0.002


def test_a_flat_picture_stays_and_nothing_leaves_the_range():
    flat = np.full([2, 6, 8, 3], 0.3, np.float32)
    np.testing.assert_allclose(l0_smoothing(flat, strength=0.05), flat, atol=1e-5)
    extreme = np.random.default_rng(1).choice([-1.0, 1.0], [1, 9, 13, 3]).astype(np.float32)
    assert np.abs(l0_smoothing(extreme, strength=0.05)).max() <= 1


def test_pictures_of_a_batch_do_not_mix():
    one, other = np.random.default_rng(2).uniform(-1, 1, [2, 1, 12, 20, 3]).astype(np.float32)
    both = l0_smoothing(np.concatenate([one, other]), strength=0.05)
    np.testing.assert_allclose(both[:1], l0_smoothing(one, strength=0.05), atol=1e-5)


def test_one_turn_solves_the_papers_equation(monkeypatch):
    """Against a sparse solver: (I + penalty * gradient^T gradient) S = I + penalty * g^T rises."""
    image = np.random.default_rng(3).uniform(-0.3, 0.3, [1, 5, 8, 1])
    strength = 0.05
    monkeypatch.setattr(module, "_LAST_PENALTY", 2 * strength * 1.5)  # one turn
    pixels = np.arange(40).reshape(5, 8)
    rows = []
    for axis in (0, 1):
        neighbours = np.roll(pixels, -1, axis=axis)
        shift = scipy.sparse.csr_matrix((np.ones(40), (pixels.ravel(), neighbours.ravel())))
        rows.append(shift - scipy.sparse.identity(40))
    flat = image.ravel()
    rises = np.stack([row @ flat for row in rows])
    rises[:, (rises**2).sum(0) < strength / (2 * strength)] = 0
    system = scipy.sparse.identity(40) + 2 * strength * sum(row.T @ row for row in rows)
    right = flat + 2 * strength * sum(row.T @ rise for row, rise in zip(rows, rises))
    expected = scipy.sparse.linalg.spsolve(system.tocsc(), right)
    smooth = l0_smoothing(image.astype(np.float32), strength=strength)
    np.testing.assert_allclose(smooth.ravel(), expected, atol=1e-5)


def test_more_strength_leaves_fewer_changes():
    photo = data.coffee()[100:180, 200:320][None] / 127.5 - 1

    def changes(strength):
        smooth = l0_smoothing(photo.astype(np.float32), strength=strength)
        return np.mean(np.abs(np.diff(smooth, axis=2)).max(-1) > 0.01)

    assert changes(0.1) < 0.8 * changes(0.02) < 0.5 * changes(1e-6)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="strength is 0"):
        l0_smoothing(np.zeros([1, 4, 4, 3], np.float32), strength=0)
    with pytest.raises(ValueError, match=r"\[N, H, W, C\], got \[4, 4, 3\]"):
        l0_smoothing(np.zeros([4, 4, 3], np.float32), strength=0.1)
