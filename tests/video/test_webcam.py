from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from wbc_tf.video import webcam
from wbc_tf.video.webcam import WebcamError, check_display, is_webcam, preview


class StandIn:
    """A camera and a window."""

    def __init__(self, frames: int, *, key: int = -1, there: bool = True) -> None:
        self.left, self.key, self.there = frames, key, there
        self.shown: list[np.ndarray] = []
        self.released = self.closed = False
        self.visible = True

    def VideoCapture(self, number: int) -> StandIn:  # noqa: N802
        self.number = number
        return self

    def isOpened(self) -> bool:  # noqa: N802
        return self.there

    def set(self, *_: object) -> bool:
        return False

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        if self.left < 0:
            return False, None
        blue = np.zeros((4, 6, 3), np.uint8)
        blue[..., 0] = 200  # OpenCV's order
        return True, blue

    def imshow(self, _: str, bgr: np.ndarray) -> None:
        self.shown.append(bgr)

    def waitKey(self, _: int) -> int:  # noqa: N802
        return self.key if len(self.shown) == 3 else -1

    def getWindowProperty(self, *_: object) -> float:  # noqa: N802
        return 1.0 if self.visible else 0.0

    def release(self) -> None:
        self.released = True

    def destroyAllWindows(self) -> None:  # noqa: N802
        self.closed = True


@pytest.mark.parametrize("key", [ord("q"), 27])
def test_frames_are_drawn_until_a_key_ends_it(key: int) -> None:
    camera = StandIn(100, key=key)
    seen = []

    def draw(rgb: np.ndarray) -> np.ndarray:
        seen.append(rgb)
        return rgb

    assert preview(draw, 2, opencv=camera) == 3
    assert camera.number == 2
    assert (seen[0] == (0, 0, 200)).all(), "the network speaks RGB"
    assert (camera.shown[0] == (200, 0, 0)).all(), "the window does not"
    assert camera.released
    assert camera.closed


def test_closing_the_window_ends_it() -> None:
    camera = StandIn(100)
    camera.visible = False
    assert preview(lambda rgb: rgb, 0, opencv=camera) == 1


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        (StandIn(5, there=False), "there is no webcam 0"),
        (StandIn(5), "webcam 0 sends no more frames"),
    ],
)
def test_a_camera_that_fails_is_told_of(camera: StandIn, message: str) -> None:
    with pytest.raises(WebcamError, match=message):
        preview(lambda rgb: rgb, 0, opencv=camera)
    assert camera.released


def test_the_preview_may_be_stabilized() -> None:
    camera = StandIn(100, key=27)
    random = np.random.default_rng(0)

    def flickering(rgb: np.ndarray) -> np.ndarray:
        return random.integers(100, 110, rgb.shape, dtype=np.uint8)

    preview(flickering, 0, stabilize=True, opencv=camera)
    calm = np.abs(np.diff(np.stack(camera.shown).astype(int), axis=0)).mean()
    assert calm < 2.5, "of 3.3 between two draws"


def test_a_number_is_a_webcam_unless_there_is_such_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_webcam("0")
    assert is_webcam("12")
    assert not is_webcam("0.jpg")
    assert not is_webcam("-1")
    Path("0").touch()
    assert not is_webcam("0")


def test_where_there_is_no_window_people_are_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                NONE\n")
    with pytest.raises(WebcamError, match=r"headless.*pip install 'opencv-python<4\.12'"):
        check_display()
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                QT5\n")
    monkeypatch.setattr(webcam.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(WebcamError, match="no display"):
        check_display()
    monkeypatch.setitem(os.environ, "DISPLAY", ":0")
    check_display()
