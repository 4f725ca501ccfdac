"""A page that is served, and visitors to it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import ROOT

#: Milliseconds that a visitor waits: a busy machine may take long.
PATIENCE = 240_000


@dataclass
class Server:
    """A page that is served by a process of its own: Gradio's folder is one for a process.

    Attributes:
      url: the page's address.
      pid: the process.
      folder: where it keeps its files.
    """

    url: str
    pid: int
    folder: Path


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[Server]:
    """Within, ``python -m module`` serves a page. At its end no file of it is left."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", module, f"--port={free_port()}", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": folder}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            told = process.stdout.readline()
            try:
                found = re.search(r"The page is at (\S+)", told)
                assert found, told
                yield Server(found[1], process.pid, Path(folder))
            finally:
                process.terminate()
                process.communicate()
        assert list(Path(folder).iterdir()) == []


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The address of the page with the embedded model, and with low limits."""
    limits = ("--max_upload_mb=1", "--max_megapixels=0.3", "--max_photos=3")
    with serving("wbc_tf.app", *limits) as server:
        yield server.url


@pytest.fixture(scope="session")
def quick() -> Iterator[Server]:
    """A page with every setting, whose models take no time."""
    with serving("tests.page.serve") as server:
        yield server


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Visitor:
    """A person with a browser of their own.

    Attributes:
      page: what the browser shows.
      elsewhere: addresses on other servers that the page asked for.
    """

    page: Page
    elsewhere: list[str]

    def choose(self, where: str, *files: Path) -> None:
        """Uploads files and waits until they are there."""
        box = self.page.locator(f"#{where}")
        remove = box.get_by_label("Remove Image")
        if remove.count():
            remove.click()
        box.locator("input[type=file]").first.set_input_files([str(file) for file in files])

    def make(self, what: str) -> None:
        """Clicks the button, once the upload is there."""
        self.page.locator(f"#{what}").locator("img, video, .file-preview").first.wait_for()
        self.page.locator(f"#make-{what}").click()

    def download(self, what: str) -> bytes:
        """Waits until there is something to download, and takes it."""
        button = self.page.locator(f"#download-{what}")
        expect(button).to_be_enabled(timeout=PATIENCE)
        with self.page.expect_download(timeout=PATIENCE) as info:
            button.click()
        return Path(info.value.path()).read_bytes()

    def message(self) -> str:
        """The next message, which is then closed."""
        toast = self.page.get_by_test_id("toast-body").first
        expect(toast).to_be_visible(timeout=PATIENCE)
        text = toast.inner_text()
        toast.get_by_test_id("toast-close").click()
        expect(toast).not_to_be_visible(timeout=PATIENCE)
        return text


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visitor]]:
    """Opens a page in a new browser profile: ``visit(address, width=..., color_scheme=...)``."""
    with ExitStack() as stack:

        @contextmanager
        def visiting(address: str, width: int = 1280, **options: object) -> Iterator[Visitor]:
            size = {"width": width, "height": 900}
            context = chromium.new_context(viewport=size, **options)
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            elsewhere: list[str] = []
            page.on(
                "request",
                lambda request: (
                    None
                    if request.url.startswith((address, "data:", "blob:"))
                    else elsewhere.append(request.url)
                ),
            )
            page.goto(address)
            yield Visitor(page, elsewhere)
            context.close()

        def visit(address: str, **options: object) -> Visitor:
            return stack.enter_context(visiting(address, **options))

        yield visit
