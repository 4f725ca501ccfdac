"""Chromium without a window, driven by its own protocol through a pair of pipes.

That protocol is JSON, each message ended by a zero byte (``--remote-debugging-pipe``), so that
looking at a page takes no driver program and no further package.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 60


def find_chromium() -> str:
    """The program; without one the test skips, and fails under CI."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    reason = "no Chromium on this machine (apt install chromium)"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; under CI there must be one")
    pytest.skip(reason)


class Browser:
    """One page; what happened on it is in `events`."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends a command and waits for its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + SECONDS
        while b"\0" not in self._rest:
            # The pipe does not block, so that a browser that hangs does not hang the tests.
            with contextlib.suppress(BlockingIOError):
                received = os.read(self._from, 1 << 20)
                assert received, "Chromium has ended"
                self._rest += received
                continue
            assert time.monotonic() < deadline, f"Chromium has not answered for {SECONDS} s"
            time.sleep(0.005)
        message, _, self._rest = self._rest.partition(b"\0")
        answer = json.loads(message)
        if "method" in answer:
            self.events.append(answer)
        return answer

    def open(self, page: Path, *, width: int = 800, height: int = 600, dark: bool = False) -> None:
        """Loads a page from disk into a window of that many pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.send("Page.navigate", url=page.resolve().as_uri())
        self.wait_for(lambda event: event["method"] == "Page.loadEventFired")

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Until such an event has happened on the page that is open."""
        while not any(wanted(event) for event in self.events):
            self._receive()

    def evaluate(self, expression: str) -> Any:
        """A JavaScript expression's value on the page."""
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def box(self, selector: str) -> tuple[float, float, float, float]:
        """Left, top, width and height of an element within the window."""
        found = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        box = self.evaluate(f"(({{x, y, width, height}}) => [x, y, width, height])({found})")
        return tuple(box)

    def drag(self, x: float, y: float, to_x: float) -> None:
        """With the left button, horizontally."""
        for kind, at, buttons in (
            ("mousePressed", x, 1),
            ("mouseMoved", (x + to_x) / 2, 1),
            ("mouseMoved", to_x, 1),
            ("mouseReleased", to_x, 0),
        ):
            self.send(
                "Input.dispatchMouseEvent",
                type=kind,
                x=at,
                y=y,
                button="left",
                buttons=buttons,
                clickCount=1,
            )

    def press(self, key: str, code: int) -> None:
        """A key by its name and its Windows virtual-key code, as the protocol wants both."""
        for kind in ("rawKeyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    def screenshot(self) -> np.ndarray:
        """The window as it is seen: uint8 [H, W, 3]."""
        data = base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile; it ends with the context."""
    program = find_chromium()
    command_read, command_write = os.pipe()
    answer_read, answer_write = os.pipe()
    os.set_blocking(answer_read, False)
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync "
        f"--hide-scrollbars --remote-debugging-pipe --user-data-dir={profile}"
    )
    # The browser reads commands from descriptor 3 and answers on 4.
    moved = f'exec "$0" "$@" 3<&{command_read} 4>&{answer_write}'
    process = subprocess.Popen(
        ["bash", "-c", moved, program, *flags.split()],
        pass_fds=(command_read, answer_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(command_read)
    os.close(answer_write)
    try:
        page = Browser(command_write, answer_read)
        yield page
        page._session = None
        page.send("Browser.close")
        process.wait(SECONDS)
    finally:
        process.kill()
        process.wait()
        os.close(command_write)
        os.close(answer_read)
