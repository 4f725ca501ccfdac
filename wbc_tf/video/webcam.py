"""A webcam, shown live as cartoons in a window."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from wbc_tf.video.stabilize import Stabilizer

_TITLE = "cartoon (q ends)"
_END = (ord("q"), 27)  # and Escape


class WebcamError(RuntimeError):
    """No camera, or nowhere to show it; the message says what to do."""


def is_webcam(name: str) -> bool:
    """Whether an input is a camera's number and not a file."""
    return name.isascii() and name.isdigit() and not os.path.lexists(name)


def check_display() -> None:
    """Call this before loading a model, which takes seconds.

    Raises:
      WebcamError: OpenCV can open no window here.
    """
    if re.search(r"GUI:\s*NONE", cv2.getBuildInformation()):
        raise WebcamError(
            "a webcam needs a window, and the OpenCV installed here has none (it is the headless "
            "build). Put the full one in its place: pip uninstall opencv-python-headless, then "
            "pip install 'opencv-python<4.12'"
        )
    # Without a display OpenCV does not fail, it ends the process.
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        raise WebcamError("a webcam needs a window, and this session has no display (DISPLAY)")


def preview(
    draw: Callable[[np.ndarray], np.ndarray],
    number: int,
    *,
    stabilize: bool = False,
    opencv: Any = cv2,
) -> int:
    """Shows what a camera sees as cartoons until q or Escape is pressed or the window is closed.

    Args:
      draw: takes and returns uint8 RGB [H, W, 3].
      number: the camera's, from 0.
      stabilize: lower the flicker between frames.
      opencv: whose cameras and windows to use.

    Returns:
      How many frames were shown.

    Raises:
      WebcamError: there is no such camera, or it was unplugged.
    """
    camera = opencv.VideoCapture(number)
    try:
        if not camera.isOpened():
            raise WebcamError(f"there is no webcam {number}, or another program has it")
        # Drawing takes longer than a frame: a longer queue would only hold old frames.
        camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        smooth, shown = Stabilizer(), 0
        while True:
            there, bgr = camera.read()
            if not there:
                raise WebcamError(f"webcam {number} sends no more frames")
            filmed = np.ascontiguousarray(bgr[..., ::-1])
            drawn = draw(filmed)
            if stabilize:
                drawn = smooth(filmed, drawn)
            opencv.imshow(_TITLE, np.ascontiguousarray(drawn[..., ::-1]))
            shown += 1
            if opencv.waitKey(1) & 0xFF in _END or not opencv.getWindowProperty(
                _TITLE, cv2.WND_PROP_VISIBLE
            ):
                return shown
    finally:
        camera.release()
        opencv.destroyAllWindows()
