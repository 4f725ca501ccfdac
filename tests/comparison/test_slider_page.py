from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.chromium import Browser, browser
from wbc_tf.comparison.slider_page import slider_page

RED, GREEN, BLUE = (200, 30, 30), (30, 160, 60), (40, 60, 200)
HEIGHT, WIDTH = 120, 200
HOSTILE = """</title><script>document.title = "owned"</script><b a='"'>&amp;${x} $style"""


def _flat(colour: tuple[int, int, int], height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


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
    elements = _Elements(slider_page(columns, ["one", "two"]))
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
    assert '<form id="choice" hidden>' in slider_page(columns, ["one", "two"]), "two: no choice"


def test_names_and_captions_are_text_whatever_they_hold() -> None:
    columns = {"photo": [_flat(RED)], HOSTILE: [_flat(BLUE)], "third": [_flat(GREEN)]}
    elements = _Elements(slider_page(columns, [HOSTILE]))
    assert len(elements.all("script")) == 1
    assert not elements.all("b")
    assert [image["alt"] for image in elements.all("img")][1] == f"{HOSTILE}: {HOSTILE}"
    assert elements.all("input")[0]["aria-label"] == HOSTILE
    # Title, heading, two choices, two labels less the one for the photo, and the caption.
    assert elements.text.count(HOSTILE) == 6


@pytest.mark.parametrize(
    ("columns", "captions"),
    [
        ({}, []),
        ({"photo": [_flat(RED)]}, ["one"]),
        ({"photo": [], "cartoon": []}, []),
        ({"photo": [_flat(RED)], "cartoon": []}, ["one"]),
        ({"photo": [_flat(RED)], "cartoon": [_flat(RED)]}, ["one", "two"]),
    ],
)
def test_what_cannot_be_compared_is_refused(columns: dict, captions: list) -> None:
    with pytest.raises(ValueError, match="a page needs two columns or more"):
        slider_page(columns, captions)


def test_pictures_of_two_sizes_cannot_lie_on_top_of_each_other() -> None:
    with pytest.raises(ValueError, match=r"cat: .*one size"):
        slider_page({"photo": [_flat(RED)], "cartoon": [_flat(RED, 8, 8)]}, ["cat"])


# As it is seen.


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def three_columns(chromium: Browser, tmp_path: Path) -> Browser:
    """A page of two rows and three columns, opened from disk."""
    path = tmp_path / "a page.html"
    columns = {"photo": [_flat(RED)] * 2, "mine": [_flat(BLUE)] * 2, HOSTILE: [_flat(GREEN)] * 2}
    path.write_text(slider_page(columns, ["one", HOSTILE]), "utf-8")
    chromium.open(path)
    return chromium


def _colours(page: Browser, shares: list[float], row: int = 0) -> list[tuple[int, ...]]:
    """What is seen of a row's picture at these shares of its width, below labels and handle."""
    left, top, width, height = page.box(f"figure:nth-of-type({row + 1}) .stage")
    assert (width, height) == (WIDTH, HEIGHT), "the picture's own size"
    seen = page.screenshot()
    return [
        min(
            (RED, GREEN, BLUE),
            key=lambda colour: np.abs(
                seen[round(top + 0.9 * height), round(left + share * width)].astype(int) - colour
            ).sum(),
        )
        for share in shares
    ]


def test_left_of_the_handle_is_the_photo_and_right_of_it_the_cartoon(
    three_columns: Browser,
) -> None:
    page = three_columns
    assert _colours(page, [0.02, 0.47, 0.53, 0.98]) == [RED, RED, BLUE, BLUE]
    left, top, width, height = page.box(".stage")
    page.drag(left + width / 2, top + height / 2, left + 0.2 * width)
    assert _colours(page, [0.02, 0.17, 0.23, 0.98]) == [RED, RED, BLUE, BLUE]
    page.drag(left + 0.2 * width, top + height / 2, left + width + 50)
    assert _colours(page, [0.02, 0.98]) == [RED, RED]
    assert _colours(page, [0.47, 0.53], row=1) == [RED, BLUE], "the other row stays"


def test_keys_move_it_too_and_it_says_where_it_stands(three_columns: Browser) -> None:
    page = three_columns
    page.press("Tab", 9)
    for _ in range(2):  # past the choice of the columns
        page.press("Tab", 9)
    page.press("Tab", 9)
    assert page.evaluate("document.activeElement.ariaLabel") == "one"
    for _ in range(5):
        page.press("ArrowRight", 39)
    assert page.evaluate("document.activeElement.getAttribute('aria-valuetext')") == (
        "55% photo, 45% mine"
    )
    assert _colours(page, [0.52, 0.58]) == [RED, BLUE]
    page.press("Home", 36)
    assert _colours(page, [0.02, 0.98]) == [BLUE, BLUE]
    page.press("End", 35)
    assert _colours(page, [0.02, 0.98]) == [RED, RED]


def test_the_reader_chooses_what_is_left_and_what_is_right(three_columns: Browser) -> None:
    page = three_columns

    def choose(side: str, column: int) -> None:
        page.evaluate(
            f"{{const s = document.getElementById('{side}'); s.value = {column}; "
            "s.dispatchEvent(new Event('change'));}"
        )

    for side, column, expected in (
        ("right", 2, [RED, GREEN]),
        ("left", 1, [BLUE, GREEN]),
        ("right", 1, [GREEN, BLUE]),  # the same on both sides: they change places
    ):
        choose(side, column)
        assert _colours(page, [0.4, 0.6]) == expected
        assert _colours(page, [0.4, 0.6], row=1) == expected
    page.evaluate("document.getElementById('swap').click()")
    assert _colours(page, [0.4, 0.6]) == [BLUE, GREEN]
    names = "Array.from(document.querySelectorAll('.side .name'), (name) => name.textContent)"
    assert page.evaluate(names) == ["mine", HOSTILE] * 2
    assert page.evaluate("document.querySelectorAll('figure:first-of-type img').length") == 3


def test_it_works_without_complaint_and_without_a_network(three_columns: Browser) -> None:
    page = three_columns
    assert page.evaluate("document.title") == f"photo · mine · {HOSTILE}"
    requests = [
        event["params"]["request"]["url"].partition(":")[0]
        for event in page.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert set(requests) == {"file", "data"}
    assert requests.count("file") == 1
    complaints = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    assert [event for event in page.events if event["method"] in complaints] == []


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
    three_columns: Browser, attempt: str, directive: str
) -> None:
    page = three_columns
    page.evaluate(attempt)
    page.wait_for(
        lambda event: (
            event["method"] == "Log.entryAdded" and directive in event["params"]["entry"]["text"]
        )
    )
    assert page.evaluate("document.title") != "1"


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_by_day_and_by_night(chromium: Browser, tmp_path: Path, dark: bool) -> None:
    path = tmp_path / "page.html"
    wide = [_flat(RED, 400, 900)]
    columns = {"photo": wide, "a model with a long name": wide, "another long name": wide}
    path.write_text(slider_page(columns, ["a_name_without_any_place_to_break_it" * 3]), "utf-8")
    chromium.open(path, width=360, height=640, dark=dark)
    assert chromium.evaluate("document.documentElement.scrollWidth") <= 360
    _, _, width, height = chromium.box(".stage")
    assert 300 <= width < 360
    assert height == pytest.approx(width * 400 / 900, abs=1)
    corner = chromium.screenshot()[2, 2].astype(int)
    assert (corner.max() < 60) if dark else (corner.min() > 200)
