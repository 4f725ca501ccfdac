"""Takes the pictures of docs/app.md again: ``python -m tests.page.screenshots``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from skimage import data

from tests.browser import SWITCHES, chromium_program
from tests.conftest import ROOT
from tests.page.conftest import Visitor, serving
from wbc_tf.files.pictures import write_image


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        serving("wbc_tf.app") as server,
        sync_playwright() as playwright,
    ):
        photo = Path(folder, "cat.png")
        write_image(photo, data.chelsea())
        program = chromium_program()
        browser = playwright.chromium.launch(executable_path=program, args=list(SWITCHES))
        for device, width in (("desktop", 1280), ("phone", 390)):
            for scheme in ("light", "dark"):
                page = browser.new_page(
                    viewport={"width": width, "height": 800}, color_scheme=scheme
                )
                page.goto(server.url)
                visitor = Visitor(page, [])
                visitor.choose("photo", photo)
                visitor.make("photo")
                visitor.download("photo")
                file = ROOT / "docs" / "images" / f"page-{device}-{scheme}.jpg"
                page.mouse.move(0, 0)
                page.screenshot(path=file, full_page=True, quality=85, type="jpeg")
                print(file)
        browser.close()


if __name__ == "__main__":
    main()
