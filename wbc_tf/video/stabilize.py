"""Less flicker: each drawn frame leans on the one before it, where the scene is the same.

A network that sees one frame at a time draws the sensor's noise anew in each. Optical flow between
the *filmed* frames tells where a point was before, and a comparison of the two whether it is still
the same point; there, and only there, the new drawing is mixed with the old one, moved along.
"""

from __future__ import annotations

import cv2
import numpy as np

from wbc_tf.images import reduce_to_short_side

# Flow is as good at this size, and costs a tenth of what it does in high definition.
_FLOW_SIDE = 270
# How much of the old drawing stays where the scene is surely the same: noise falls to a third of
# its variance or less, and what is wrong fades within a few frames.
_HOLD = 0.75
# Grey levels by which the filmed frames may differ, averaged over a few pixels, and still show the
# same; from there on it counts less, and at twice as much it is another thing. Then the same for
# the drawings: more is no flicker.
_SAME_FILMED, _SAME_DRAWN = 8.0, 20.0
# Grey levels that following the flow must gain.
_NOISE = 0.5
# Pixels by which following the flow there and back may miss its beginning: else it was covered.
_ASTRAY = 1.0
# Pixels of the short side that the search for flow needs.
_SMALLEST = 32


class Stabilizer:
    """Call it with each frame in turn."""

    def __init__(self) -> None:
        self._filmed: np.ndarray | None = None
        self._drawn: np.ndarray | None = None

    def __call__(self, filmed: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Takes the next frame.

        Args:
          filmed: uint8 [H, W, 3], what the camera saw.
          drawn: uint8 [h, w, 3], what the network made of it.

        Returns:
          uint8 [h, w, 3]: `drawn`, mixed with what this returned last where the scene is the same.
        """
        grey = cv2.cvtColor(reduce_to_short_side(filmed, _FLOW_SIDE), cv2.COLOR_RGB2GRAY)
        before, old = self._filmed, self._drawn
        if before is not None and old is not None and before.shape == grey.shape:
            drawn = _mixed(old, drawn, *correspondence(before, grey))
        self._filmed, self._drawn = grey, drawn
        return drawn


def correspondence(before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel was a frame ago, and whether that is the same thing.

    Args:
      before: uint8 [H, W].
      now: the same.

    Returns:
      flow: float32 [H, W, 2], in pixels, to be added to (x, y).
      same: float32 [H, W] from 0 to 1.
    """
    still = _change(before, now)
    if min(now.shape) < _SMALLEST:
        return np.zeros((*now.shape, 2), np.float32), _fading(still, _SAME_FILMED)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    # The third argument is where it begins to search: it must be something.
    flow, back = (
        np.asarray(search.calc(*pair, np.zeros((*now.shape, 2), np.float32)), np.float32)
        for pair in ((now, before), (before, now))
    )
    change = _change(_moved(before, flow), now)
    # Flow moves noise too. What needs no motion to be explained is taken to stand still, and moving
    # it by fractions of a pixel would only blur it.
    rests = still <= change + _NOISE
    astray = flow + _moved(back, flow)
    same = _fading(change, _SAME_FILMED) * _fading(np.hypot(*np.moveaxis(astray, 2, 0)), _ASTRAY)
    flow[rests] = 0
    return flow, np.where(rests, _fading(still, _SAME_FILMED), same)


def _change(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Grey levels, averaged over a few pixels."""
    return cv2.blur(cv2.absdiff(before, now).astype(np.float32), (5, 5))


def _fading(distance: np.ndarray, limit: float) -> np.ndarray:
    """1 up to the limit, 0 from twice as much on."""
    return np.clip(2 - distance / np.float32(limit), 0, 1)


def _mixed(old: np.ndarray, new: np.ndarray, flow: np.ndarray, same: np.ndarray) -> np.ndarray:
    height, width = new.shape[:2]
    scale = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    moved = _moved(old, cv2.resize(flow, (width, height)) * scale).astype(np.float32)
    difference = moved - new
    apart = np.abs(difference).max(axis=2)
    weight = cv2.resize(same, (width, height)) * _fading(apart, _SAME_DRAWN)
    return np.rint(new + _HOLD * weight[..., None] * difference).astype(np.uint8)


def _moved(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The picture as it is at the flow's ends."""
    y, x = np.indices(flow.shape[:2], np.float32)
    return cv2.remap(
        picture,
        x + flow[..., 0],
        y + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
