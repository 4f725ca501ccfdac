"""Less flicker: each cartoon frame is mixed with the one before it, where the scene is the same.

A network that sees one frame at a time draws the sensor's noise anew in each frame. Optical flow
between the *filmed* frames tells where each point was in the frame before; comparing the two frames
tells whether it is still the same point. Where it is, the new cartoon is mixed with the old one,
which is first moved along the flow.
"""

from __future__ import annotations

import cv2
import numpy as np

from wbc_tf.images import reduce_to_short_side

# Short side in pixels for the flow. It is as good at this size as in high definition, at a tenth of
# the cost.
_FLOW_SIDE = 270
# Share of the old cartoon where the scene is surely the same. It lowers the noise's variance to a
# third or less, and errors fade within a few frames.
_HOLD = 0.75
# Grey levels by which two filmed frames may differ, averaged over a few pixels, and still show the
# same thing; up to twice as much the share falls to zero. The second number is the same limit for
# the cartoons: a larger difference is a real change, not flicker.
_SAME_FILMED, _SAME_DRAWN = 8.0, 20.0
# Grey levels by which the flow must lower the difference; else the point counts as standing still.
_NOISE = 0.5
# Following the flow there and back must end within so many pixels of the start; else the point was
# covered in the frame before.
_ASTRAY = 1.0
# Smallest short side in pixels that the search for flow accepts.
_SMALLEST = 32


class Stabilizer:
    """Call it with each frame, in order."""

    def __init__(self) -> None:
        self._filmed: np.ndarray | None = None
        self._drawn: np.ndarray | None = None

    def __call__(self, filmed: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Takes the next frame.

        Args:
          filmed: uint8 [H, W, 3], the camera's frame.
          drawn: uint8 [h, w, 3], the cartoon of it.

        Returns:
          uint8 [h, w, 3]: `drawn`, mixed with the last result where the scene is the same.
        """
        grey = cv2.cvtColor(reduce_to_short_side(filmed, _FLOW_SIDE), cv2.COLOR_RGB2GRAY)
        before, old = self._filmed, self._drawn
        result = drawn.astype(np.float32)
        if before is not None and old is not None and before.shape == grey.shape:
            result = _mixed(old, result, *correspondence(before, grey))
        # The next frame is mixed with the result before it was rounded: a difference of three
        # rounded levels would never fade, since three quarters of it can round to three again.
        self._filmed, self._drawn = grey, result
        return np.rint(result).astype(np.uint8)


def correspondence(before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel was in the frame before, and whether it shows the same thing.

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
    # The third argument is a first guess; OpenCV requires one.
    flow, back = (
        np.asarray(search.calc(*pair, np.zeros((*now.shape, 2), np.float32)), np.float32)
        for pair in ((now, before), (before, now))
    )
    change = _change(_moved(before, flow), now)
    # Flow follows noise too. A point that did not change much is taken to stand still: moving it by
    # fractions of a pixel would only blur it.
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
    moved = _moved(old, cv2.resize(flow, (width, height)) * scale)
    difference = moved - new
    apart = np.abs(difference).max(axis=2)
    weight = cv2.resize(same, (width, height)) * _fading(apart, _SAME_DRAWN)
    return new + np.float32(_HOLD) * weight[..., None] * difference


def _moved(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The picture, sampled at each pixel's position plus flow."""
    y, x = np.indices(flow.shape[:2], np.float32)
    return cv2.remap(
        picture,
        x + flow[..., 0],
        y + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
