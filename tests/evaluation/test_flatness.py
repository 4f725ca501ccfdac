import cv2
import numpy as np
import pytest

from wbc_tf.evaluation.flatness import edge_strength, flat_share, flatness_rows, luma_gradient


def grey(levels: np.ndarray) -> np.ndarray:
    return np.repeat(levels.astype(np.uint8)[..., None], 3, axis=-1)


def test_the_gradient_of_a_ramp_is_its_rise_over_two_pixels():
    ramp = grey(np.tile(np.arange(0, 60, 3), (9, 1)))
    np.testing.assert_allclose(luma_gradient(ramp)[:, 1:-1], 6, atol=1e-4)


def test_the_gradient_of_a_step_is_its_height():
    step = grey(np.repeat([[10] * 8 + [110] * 8], 6, axis=0))
    assert luma_gradient(step).max() == pytest.approx(100)


def test_the_gradient_against_sums_written_out():
    image = np.random.default_rng(0).integers(0, 256, (11, 7, 3), dtype=np.uint8)
    luma = np.rint(image @ [0.299, 0.587, 0.114])
    y, x = 5, 3
    square = luma[y - 1 : y + 2, x - 1 : x + 2]
    across = (square[:, 2] - square[:, 0]) @ [1, 2, 1]
    down = (square[2] - square[0]) @ [1, 2, 1]
    # Rounding the luma to whole levels may fall on the other side in a few pixels.
    assert luma_gradient(image)[y, x] == pytest.approx(np.hypot(across, down) / 4, abs=1)


def test_the_flat_share_counts_pixels():
    step = grey(np.repeat([[10] * 8 + [110] * 8], 6, axis=0))
    assert flat_share(step) == pytest.approx(14 / 16)  # the two columns at the step are not flat
    assert flat_share(grey(np.tile(np.arange(0, 60, 3), (9, 1)))) == pytest.approx(2 / 20)


def test_a_blur_has_weaker_edges():
    sharp = grey(np.kron(np.random.default_rng(1).integers(0, 256, (6, 9)), np.ones((8, 8))))
    (_, edges), (_, weaker) = flatness_rows([sharp, cv2.blur(sharp, (9, 9))])
    assert weaker < edges / 2
    assert edge_strength(sharp) == edges
