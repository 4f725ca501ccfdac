"""What the page in the browser adds to a photo: from the click until the cartoon is on the screen.

    python -m benchmarks.page [--rounds 7]

A real browser (Chromium, without a window) clicks the button of a page that this process serves.
The model's own call on the same photo, from array to array, takes its turns with the click, and the
least of each are compared: another load on the machine can only add to a time. The browser runs on
the same cores as the network, which a visitor's browser does not.

Exits with 1 if a ratio misses its bound.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks._records import Records, add_json_flag
from tests.browser import SWITCHES, chromium_program
from wbc_tf.files.pictures import read_rgb
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.page.limits import Limits
from wbc_tf.page.models import load_offers
from wbc_tf.page.server import served
from wbc_tf.serving.sample_photo import sample_photo

#: At the working resolution, and a phone's photo. Only the first has a bound: the network's time is
#: the same for both, but what is read, encoded and sent grows with the photo.
SIZES = {"720x960": (720, 960), "3000x4000": (3000, 4000)}
BOUNDS = {"720x960": 1.15}

# Clicks, and answers with the seconds until two new pictures are there, decoded.
CLICK = """() => new Promise((done) => {
  const pictures = () => [...document.querySelectorAll("#slider img")];
  const before = new Set(pictures().map((picture) => picture.src));
  const began = performance.now();
  document.querySelector("#make-photo").click();
  const look = () => {
    const now = pictures();
    if (now.length < 2 || now.some((picture) => before.has(picture.src) || !picture.complete)) {
      setTimeout(look, 10);
    } else {
      Promise.all(now.map((picture) => picture.decode())).then(() =>
        done((performance.now() - began) / 1000)
      );
    }
  };
  look();
})"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    add_json_flag(parser)
    options = parser.parse_args()
    records = Records(options.json)
    program = chromium_program()
    if program is None:
        records.skip("click to picture, to the model alone", "no Chromium on this machine")
        return records.status
    offers = load_offers(["white_box"])
    cartoonizer = offers["white_box"].cartoonizer
    with (
        tempfile.TemporaryDirectory() as folder,
        served(offers, Limits(), port=free_port()) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=list(SWITCHES))
        for name, size in SIZES.items():
            photo = Path(folder, f"{name}.jpg")
            Image.fromarray(sample_photo(*size)).save(photo, quality=90)
            page = browser.new_page()
            page.set_default_timeout(600_000)
            page.goto(url)
            page.locator("#photo input[type=file]").set_input_files(str(photo))
            page.locator("#photo img").wait_for()
            clicks, calls = in_turns(options.rounds, page, cartoonizer, read_rgb(photo))
            print(f"{name:9} click to picture {clicks:.2f} s, model alone {calls:.2f} s")
            records.add(
                f"click to picture at {name}, to the model alone",
                clicks / calls,
                "ratio",
                at_most=BOUNDS.get(name),
            )
            page.close()
        browser.close()
    return records.status


def in_turns(
    rounds: int, page: Page, cartoonizer: Cartoonizer, photo: np.ndarray
) -> tuple[float, float]:
    """The least seconds of the click and of the model's call; the first round is left out."""
    times = []
    for _ in range(1 + rounds):
        click = page.evaluate(CLICK)
        page.locator("#download-photo:enabled").wait_for()  # the server has finished
        start = time.perf_counter()
        cartoonizer(photo)
        times.append((click, time.perf_counter() - start))
    clicks, calls = np.min(times[1:], axis=0)
    return float(clicks), float(calls)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
