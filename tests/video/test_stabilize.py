from __future__ import annotations

import cv2
import numpy as np
import pytest

from wbc_tf.video.segments import LOOKBACK
from wbc_tf.video.stabilize import Stabilizer, correspondence

HEIGHT, WIDTH, STEP = 180, 240, 3


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """float [H, 2 W, 3]: blotches with edges, so that there is something to follow."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (9, 24, 3), dtype=np.uint8)
    large = cv2.resize(coarse, (2 * WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    return cv2.GaussianBlur(large, (0, 0), 1.5).astype(float)


def film(scene: np.ndarray, *, step: int, noise: float, frames: int = 10) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    views = [scene[:, step * n : step * n + WIDTH] for n in range(frames)]
    noisy = [view + random.normal(0, noise, view.shape) for view in views]
    return [np.clip(view, 0, 255).astype(np.uint8) for view in noisy]


def flicker(shown: list[np.ndarray], step: int) -> float:
    """Mean absolute difference of each point of the scene between two frames, from the third on."""
    stack = np.stack(shown[2:]).astype(float)
    return float(np.abs(stack[:-1, :, step:] - stack[1:, :, : WIDTH - step]).mean())


@pytest.mark.parametrize("step", [0, STEP], ids=["static", "panning"])
def test_flicker_falls_below_half(scene: np.ndarray, step: int) -> None:
    filmed = film(scene, step=step, noise=5)
    # A network that draws each frame's noise anew.
    drawn = [cv2.GaussianBlur(frame, (0, 0), 0.7) for frame in filmed]
    stabilize = Stabilizer()
    calm = [stabilize(*pair) for pair in zip(filmed, drawn)]
    assert flicker(calm, step) < 0.5 * flicker(drawn, step)
    # And what is shown is still the scene: nearer to it than what was drawn.
    truth = cv2.GaussianBlur(film(scene, step=step, noise=0)[-1], (0, 0), 0.7).astype(float)
    assert np.abs(calm[-1] - truth).mean() < np.abs(drawn[-1] - truth).mean()


def test_what_came_before_is_forgotten_to_a_level(scene: np.ndarray) -> None:
    # Segments of a film look back only so far.
    filmed = film(scene, step=0, noise=5, frames=LOOKBACK + 9)
    drawn = [cv2.GaussianBlur(frame, (0, 0), 0.7) for frame in filmed]
    whole, part = Stabilizer(), Stabilizer()
    one = [whole(*pair) for pair in zip(filmed, drawn)]
    two = [part(*pair) for pair in zip(filmed[5:], drawn[5:])]
    apart = [np.abs(a.astype(int) - b).max() for a, b in zip(one[5:], two)]
    assert apart[0] > 3
    assert max(apart[LOOKBACK:]) <= 1


def test_without_noise_nothing_changes(scene: np.ndarray) -> None:
    still = film(scene, step=0, noise=0)
    stabilize = Stabilizer()
    for frame in still:
        np.testing.assert_array_equal(stabilize(frame, 255 - frame), 255 - frame)


def test_another_scene_owes_nothing_to_the_last(scene: np.ndarray) -> None:
    before = film(scene, step=0, noise=3)
    after = film(scene[::-1, ::-1], step=0, noise=3)
    stabilize = Stabilizer()
    for frame in before:
        stabilize(frame, frame)
    cut = stabilize(after[0], after[0])
    assert np.abs(cut.astype(int) - after[0]).mean() < 0.3


def test_what_is_uncovered_is_new(scene: np.ndarray) -> None:
    # A dark square moves over a bright ground by its own width: what it leaves must not stay dark.
    stabilize = Stabilizer()
    for left in (60, 90):
        frame = np.full((HEIGHT, WIDTH, 3), 220, np.uint8)
        frame[70:100, left : left + 30] = 20
        shown = stabilize(frame, frame)
    assert shown[72:98, 62:88].min() >= 218
    assert shown[72:98, 92:118].max() <= 22


def test_a_drawing_may_have_another_size(scene: np.ndarray) -> None:
    stabilize = Stabilizer()
    for frame in film(scene, step=STEP, noise=3):
        shown = stabilize(frame, cv2.resize(frame, (80, 60), interpolation=cv2.INTER_AREA))
    assert (shown.shape, shown.dtype) == ((60, 80, 3), np.uint8)
    small = np.full((8, 8, 3), 9, np.uint8)
    for _ in range(3):
        np.testing.assert_array_equal(Stabilizer()(small, small), small)


def test_the_flow_leads_back(scene: np.ndarray) -> None:
    before, now = (
        cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in film(scene, step=STEP, noise=2)[:2]
    )
    flow, same = correspondence(before, now)
    assert flow.shape == (HEIGHT, WIDTH, 2)
    assert same.shape == (HEIGHT, WIDTH)
    # The view moves to the right, so a point was further right before.
    inner = (slice(20, -20), slice(20, -20))
    moving = np.abs(flow[inner][..., 0]) > 0
    np.testing.assert_allclose(np.median(flow[inner][moving], axis=0), [STEP, 0], atol=0.2)
    assert same[inner].mean() > 0.9
