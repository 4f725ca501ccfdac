"""Pages as a browser shows them: Debian's Chromium, without a window, driven by Playwright."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Root may not use Chromium's sandbox. The other switches keep the browser off the network.
SWITCHES = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


def chromium_program() -> str | None:
    """Chromium's path, if there is one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser. Each test takes a context of its own, with `new_context` or `new_page`.

    Without Chromium such tests skip; with CI=true they fail.
    """
    program = chromium_program()
    if program is None:
        reason = "no Chromium on this machine (apt install chromium)"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; with CI=true it is required")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(SWITCHES))
        yield browser
        browser.close()


def screenshot(page: Page) -> np.ndarray:
    """The page's window as it is seen: uint8 [H, W, 3]."""
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
