"""The page by keyboard, on a phone, in dark mode and read aloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, TimeoutError, expect

from tests.page.conftest import PATIENCE, Server, Visitor

TABS = ("Photo", "Several photos", "Video")

# Each text that can be seen, with its contrast to what is behind it (WCAG 2, 1.4.3).
CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((v, n) => a * v + (1 - a) * under[n]);
  const light = (colour) => {
    const [r, g, b] = colour.map((v) => {
      v /= 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(rgba(getComputedStyle(at).backgroundColor));
    }
    return layers.reduceRight((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim();
    const element = texts.currentNode.parentElement;
    if (!/[\\p{L}\\p{N}]/u.test(text) || !element.checkVisibility()) continue;
    if (element.closest("script, style, :disabled")) continue;
    const under = behind(element);
    const ink = light(over(rgba(getComputedStyle(element).color), under));
    const ground = light(under);
    found.push([text, Math.max(ink, ground) / Math.min(ink, ground)]);
  }
  return found;
}"""

# What can be used or seen and has no name for who cannot see it.
NAMELESS = """() => {
  const named = (element) =>
    element.getAttribute("aria-label") || element.getAttribute("aria-labelledby") ||
    element.title || element.innerText?.trim() || element.alt ||
    element.querySelector("img[alt]:not([alt=''])") ||
    [...(element.labels || [])].some((label) => label.innerText.trim());
  const elements = document.querySelectorAll("button, input, select, textarea, video, img");
  return [...elements]
    .filter((element) => element.checkVisibility() && !named(element))
    .filter((element) => !element.matches("footer img"))
    .map((element) => element.outerHTML.slice(0, 200));
}"""


def each_tab(page: Page) -> Iterator[str]:
    """Opens the settings; yields at each tab, when all of it is there."""
    # A colour that is on its way to another one has a contrast of its own.
    page.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    expect(page.locator("#slider img")).to_have_count(2, timeout=PATIENCE)  # the page is ready
    page.get_by_role("button", name="Cartoon settings").click()
    expect(page.get_by_label("Strength").first).to_be_visible(timeout=PATIENCE)
    for tab in TABS:
        button = page.get_by_role("tab", name=tab, exact=True)
        button.click()
        expect(button).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
        if tab == "Video":
            page.get_by_role("button", name="Video settings").click()
            expect(page.get_by_label("Codec").first).to_be_visible(timeout=PATIENCE)
        yield tab


def tab_to(page: Page, selector: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => !!document.activeElement.closest(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by the Tab key")


def choose_by_keyboard(page: Page, photo: Path) -> None:
    """Gives the page a photo. A page that has just come may not listen to its first keys yet."""
    tab_to(page, "#photo")
    for _ in range(20):
        try:
            with page.expect_file_chooser(timeout=5_000) as chooser:
                page.keyboard.press("Enter")
        except TimeoutError:
            continue
        chooser.value.set_files(photo)
        page.locator("#photo img").wait_for(timeout=PATIENCE)
        return
    raise AssertionError("the Enter key opens no file chooser")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_text_can_be_read(quick: Server, visit: Callable[..., Visitor], scheme: str) -> None:
    page = visit(quick.url, color_scheme=scheme).page
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    for tab in each_tab(page):
        contrasts = page.evaluate(CONTRASTS)
        assert len(contrasts) > 15
        assert [(text, ratio) for text, ratio in contrasts if ratio < 4.5] == [], tab


def test_each_control_and_picture_has_a_name(quick: Server, visit: Callable[..., Visitor]) -> None:
    page = visit(quick.url).page
    for tab in each_tab(page):
        assert page.evaluate(NAMELESS) == [], tab
    page.get_by_role("tab", name="Photo", exact=True).click()
    for name in ("Style", "Strength", "Detail", "Smoothing", "Keep the brightness"):
        assert page.get_by_label(name).count(), name
    pictures = page.locator("#slider img")
    assert [picture.get_attribute("alt") for picture in pictures.all()] == [
        *("the photo", "the cartoon")
    ]


def test_a_phone_shows_all_without_scrolling_sideways(
    quick: Server, visit: Callable[..., Visitor]
) -> None:
    page = visit(quick.url, width=360, has_touch=True, is_mobile=True).page
    for tab in each_tab(page):
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, tab
        for control in page.locator("button:visible, input:visible, img:visible").all():
            box = control.bounding_box()
            assert box is None or (box["x"] >= 0 and box["x"] + box["width"] <= 360), tab
    page.get_by_role("tab", name="Photo", exact=True).tap()
    page.locator("#examples button").first.tap()
    page.locator("#photo img").wait_for()
    page.locator("#make-photo").tap()
    expect(page.locator("#download-photo")).to_be_enabled(timeout=PATIENCE)


def test_the_whole_way_by_keyboard(
    quick: Server, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (30, 20), "orange").save(photo)
    page = visit(quick.url).page
    expect(page.locator("#slider img")).to_have_count(2, timeout=PATIENCE)  # the page is ready
    choose_by_keyboard(page, photo)
    tab_to(page, "#make-photo")
    page.keyboard.press("Enter")
    expect(page.locator("#download-photo")).to_be_enabled(timeout=PATIENCE)
    tab_to(page, "#slider [role=separator]")
    line = page.get_by_role("separator")
    before = line.bounding_box()["x"]
    page.keyboard.press("ArrowRight")
    assert line.bounding_box()["x"] > before
    tab_to(page, "#download-photo")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    with Image.open(download.value.path()) as cartoon:
        assert cartoon.size == (30, 20)
