from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser import screenshot
from wbc_tf.comparison.slider_page import slider_page

RED, GREEN, BLUE = (200, 30, 30), (30, 160, 60), (40, 60, 200)
HEIGHT, WIDTH = 120, 200
HOSTILE = """</title><script>document.title = "owned"</script><b a='"'>&amp;${x} $style"""


def _flat(colour: tuple[int, int, int], height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def _page(columns: dict[str, list[np.ndarray]], captions: list[str]) -> str:
    return "".join(slider_page(list(columns), zip(captions, zip(*columns.values()))))


class _Elements(HTMLParser):
    """Every element's name and attributes, and the text of the page outside style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._skipping = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._skipping = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._skipping = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._skipping else data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


# The text.


def test_pictures_are_in_the_page_row_by_row_and_nothing_is_fetched() -> None:
    columns = {
        "photo": [_flat(RED), _flat(BLUE, 50, 30)],
        "cartoon": [_flat(GREEN), _flat(RED, 50, 30)],
    }
    elements = _Elements(_page(columns, ["one", "two"]))
    images = elements.all("img")
    assert [image["alt"] for image in images] == [
        *("one: photo", "one: cartoon"),
        *("two: photo", "two: cartoon"),
    ]
    for image, colour, size in zip(
        images, (RED, GREEN, BLUE, RED), [(WIDTH, HEIGHT)] * 2 + [(30, 50)] * 2
    ):
        kind, _, data = str(image["src"]).partition(",")
        assert kind == "data:image/jpeg;base64"
        picture = Image.open(io.BytesIO(base64.b64decode(data)))
        assert picture.size == size == (int(image["width"]), int(image["height"]))
        assert np.abs(np.asarray(picture).astype(int) - colour).max() <= 3, "JPEG"
    assert not elements.all("link")
    assert [script for script in elements.all("script") if script] == []
    assert '<form id="choice" hidden>' in _page(columns, ["one", "two"]), "two: no choice"


def test_names_and_captions_are_text_whatever_they_hold() -> None:
    columns = {"photo": [_flat(RED)], HOSTILE: [_flat(BLUE)], "third": [_flat(GREEN)]}
    elements = _Elements(_page(columns, [HOSTILE]))
    assert len(elements.all("script")) == 1
    assert not elements.all("b")
    assert [image["alt"] for image in elements.all("img")][1] == f"{HOSTILE}: {HOSTILE}"
    assert elements.all("input")[0]["aria-label"] == HOSTILE
    # Title, heading, two choices, two labels less the one for the photo, and the caption.
    assert elements.text.count(HOSTILE) == 6


def test_rows_are_read_one_by_one_as_the_page_is() -> None:
    read = itertools.count()
    rows = ((f"row {next(read)}", [_flat(RED), _flat(BLUE)]) for _ in range(9))
    pieces = slider_page(["photo", "cartoon"], rows)
    next(pieces)
    for number in range(3):
        assert f"row {number}" in next(pieces)
    assert next(read) == 3


@pytest.mark.parametrize(
    ("names", "pictures", "message"),
    [
        (["photo"], [_flat(RED)], "two columns or more"),
        (["photo", "cartoon"], [_flat(RED)], "cat: a row needs 2 pictures"),
        (["photo", "cartoon"], [_flat(RED), _flat(RED, 8, 8)], "cat: .* of one size"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    names: list[str], pictures: list[np.ndarray], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        list(slider_page(names, [("cat", pictures)]))


# As it is seen.


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page. Nothing may complain on it, and it may load nothing but the file itself."""
    with chromium.new_context(viewport={"width": 800, "height": 600}) as context:
        page = context.new_page()
        complaints, loaded = [], []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: loaded.append(request.url.partition(":")[0]))
        yield page
        assert complaints == []
        assert loaded == ["file"]


def _open(page: Page, folder: Path) -> None:
    """Two rows and three columns, opened from disk."""
    path = folder / "a page.html"
    columns = {"photo": [_flat(RED)] * 2, "mine": [_flat(BLUE)] * 2, HOSTILE: [_flat(GREEN)] * 2}
    path.write_text(_page(columns, ["one", HOSTILE]), "utf-8")
    page.goto(path.as_uri())


def _box(page: Page, row: int = 0) -> dict[str, float]:
    box = page.locator(".stage").nth(row).bounding_box()
    assert box is not None
    return box


def _colours(page: Page, shares: list[float], row: int = 0) -> list[tuple[int, ...]]:
    """What is seen of a row's picture at these shares of its width, below labels and handle."""
    box = _box(page, row)
    assert (box["width"], box["height"]) == (WIDTH, HEIGHT), "the picture's own size"
    seen = screenshot(page)[round(box["y"] + 0.9 * HEIGHT)].astype(int)
    pixels = [seen[round(box["x"] + share * WIDTH)] for share in shares]
    return [
        min((RED, GREEN, BLUE), key=lambda colour: np.abs(pixel - colour).sum()) for pixel in pixels
    ]


def _drag(page: Page, share: float, to: float) -> None:
    box = _box(page)
    middle = box["y"] + HEIGHT / 2
    page.mouse.move(box["x"] + share * WIDTH, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + to * WIDTH, middle, steps=2)
    page.mouse.up()


def test_left_of_the_handle_is_the_photo_and_right_of_it_the_cartoon(
    page: Page, tmp_path: Path
) -> None:
    _open(page, tmp_path)
    assert page.title() == f"photo · mine · {HOSTILE}"
    assert _colours(page, [0.02, 0.47, 0.53, 0.98]) == [RED, RED, BLUE, BLUE]
    _drag(page, 0.5, 0.2)
    assert _colours(page, [0.02, 0.17, 0.23, 0.98]) == [RED, RED, BLUE, BLUE]
    _drag(page, 0.2, 1.25)
    assert _colours(page, [0.02, 0.98]) == [RED, RED]
    assert _colours(page, [0.47, 0.53], row=1) == [RED, BLUE], "the other row stays"


def test_keys_move_it_too_and_it_says_where_it_stands(page: Page, tmp_path: Path) -> None:
    _open(page, tmp_path)
    slider = page.get_by_label("one", exact=True)
    for _ in range(4):  # past the choice of the columns
        page.keyboard.press("Tab")
    expect(slider).to_be_focused()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "55% photo, 45% mine")
    assert _colours(page, [0.52, 0.58]) == [RED, BLUE]
    page.keyboard.press("Home")
    assert _colours(page, [0.02, 0.98]) == [BLUE, BLUE]
    page.keyboard.press("End")
    assert _colours(page, [0.02, 0.98]) == [RED, RED]


def test_the_reader_chooses_what_is_left_and_what_is_right(page: Page, tmp_path: Path) -> None:
    _open(page, tmp_path)
    for side, column, expected in (
        ("#left", "mine", [BLUE, RED]),  # the same on both sides: they change places
        ("#right", HOSTILE, [BLUE, GREEN]),
    ):
        page.locator(side).select_option(label=column)
        assert _colours(page, [0.4, 0.6]) == expected
        assert _colours(page, [0.4, 0.6], row=1) == expected
    page.get_by_role("button", name="Swap left and right").click()
    assert _colours(page, [0.4, 0.6]) == [GREEN, BLUE]
    assert page.locator(".side .name").all_text_contents() == [HOSTILE, "mine"] * 2
    assert page.locator("figure:first-of-type img").count() == 3


@pytest.mark.parametrize(
    ("attempt", "directive"),
    [
        ("fetch('http://127.0.0.1:9/').catch(() => 0)", "default-src 'none'"),
        ("new Image().src = 'http://127.0.0.1:9/picture'", "img-src data:"),
        (
            "document.head.append(Object.assign(document.createElement('script'), "
            "{textContent: 'document.title = 1'}))",
            "script-src 'sha256-",
        ),
    ],
    ids=["fetch", "image", "script"],
)
def test_what_a_page_must_not_do_is_refused(
    chromium: Browser, tmp_path: Path, attempt: str, directive: str
) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        _open(page, tmp_path)
        with page.expect_console_message(lambda message: directive in message.text):
            page.evaluate(f"() => {{ {attempt} }}")
        assert page.title() != "1"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_by_day_and_by_night(page: Page, tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "page.html"
    wide = [_flat(RED, 400, 900)]
    columns = {"photo": wide, "a model with a long name": wide, "another long name": wide}
    path.write_text(_page(columns, ["a_name_without_any_place_to_break_it" * 3]), "utf-8")
    page.set_viewport_size({"width": 360, "height": 640})
    page.emulate_media(color_scheme=scheme)
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    box = _box(page)
    assert 300 <= box["width"] < 360
    assert box["height"] == pytest.approx(box["width"] * 400 / 900, abs=1)
    corner = screenshot(page)[2, 2].astype(int)
    assert (corner.max() < 60) if scheme == "dark" else (corner.min() > 200)
