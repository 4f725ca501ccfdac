from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Outcome
from wbc_tf import compare
from wbc_tf.files.pictures import read_rgb, write_image
from wbc_tf.inference.cartoonizer import Cartoonizer

RED, GREEN, BLUE = (200, 30, 30), (30, 160, 60), (40, 60, 200)


def _save(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (48, 32)) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three photos and two folders of cartoons of them, one in another format and size."""
    monkeypatch.chdir(tmp_path)
    for name in ("ant", "bee", "cat"):
        _save(tmp_path / "photos" / f"{name}.png", RED)
        _save(tmp_path / "mine" / f"{name}.jpg", BLUE, (480, 321))
        _save(tmp_path / "theirs" / f"{name}.png", GREEN)
    return tmp_path


class _Page(HTMLParser):
    """What stands on a comparison: the alternative texts and sizes of its pictures."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.sizes: set[tuple[int, int]] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            found = dict(attrs)
            self.pictures.append(str(found["alt"]))
            self.sizes.add((int(found["width"] or 0), int(found["height"] or 0)))


def _compare(call: Callable, *arguments: object) -> Outcome:
    return call(compare, "--photos=photos", "--output=out/here", *arguments)


def test_folders_are_paired_by_name_on_a_page_and_a_sheet(call: Callable, folders: Path) -> None:
    outcome = _compare(call, "mine=mine", "--column=theirs=theirs")
    page, sheet = Path("out", "here", "comparison.html"), Path("out", "here", "contact_sheet.png")
    assert outcome.status == 0
    assert outcome.out == f"3 compared, 0 left out: {page} and {sheet}\n"
    assert _Page(page).pictures == [
        f"{stem}: {name}" for stem in ("ant", "bee", "cat") for name in ("photo", "theirs", "mine")
    ]
    assert _Page(page).sizes == {(48, 32)}, "the photo's size: none is enlarged"
    counts = [
        (np.abs(read_rgb(sheet).astype(int) - colour).max(axis=-1) <= 3).sum()
        for colour in (RED, GREEN, BLUE)
    ]
    assert counts == [3 * 360 * 540] * 3


def test_a_model_makes_of_the_photos_what_it_makes_elsewhere(
    call: Callable, folders: Path, tiny_model: Path
) -> None:
    random = np.random.default_rng(0)
    photo = random.integers(0, 256, (360, 200, 3), dtype=np.uint8)
    write_image("photos/ant.png", photo)
    outcome = _compare(call, f"--model={tiny_model}", "mine=theirs")
    assert outcome.status == 1, "another picture's cartoon"
    assert "ant: 200 x 360 in photos, but 48 x 32 as 'mine'" in outcome.err
    assert _compare(call, f"--model={tiny_model}").status == 0
    assert _Page(Path("out/here/comparison.html")).pictures[:2] == ["ant: photo", "ant: tiny"]
    expected = Cartoonizer.load(tiny_model)(photo)
    sheet = read_rgb("out/here/contact_sheet.png")
    # Rows are 360 high, so that this one is not resampled; the widest picture is 540.
    top, left = 26, 12 + 540 + 12
    np.testing.assert_array_equal(sheet[top : top + 360, left : left + 200], expected)


def test_what_is_missing_or_broken_is_named_counted_and_left_out(
    call: Callable, folders: Path
) -> None:
    Path("mine/ant.jpg").unlink()
    Path("theirs/bee.png").write_bytes(b"no picture")
    _save(folders / "mine" / "stranger.png", BLUE)
    _save(folders / "photos" / "twice.png", RED)
    _save(folders / "photos" / "twice.jpg", RED)
    outcome = _compare(call, "mine=mine", "theirs=theirs")
    assert outcome.status == 1
    assert outcome.out.startswith("1 compared, 3 left out: ")
    for line in (
        "left out: ant: no picture of this name in mine",
        "left out: theirs/bee.png: not a picture that Pillow can read",
        "left out: twice: which one is meant in photos? twice.jpg, twice.png",
        "note: mine: no photo for stranger in mine",
    ):
        assert line in outcome.err.splitlines()
    assert _Page(Path("out/here/comparison.html")).pictures == [
        "cat: photo",
        "cat: mine",
        "cat: theirs",
    ]


def test_nothing_to_show_writes_nothing(call: Callable, folders: Path) -> None:
    for name in ("ant", "bee", "cat"):
        Path(f"mine/{name}.jpg").unlink()
    outcome = _compare(call, "mine=mine")
    assert outcome.status == 1
    assert "none of 3 photos can be compared" in outcome.err
    assert not Path("out").exists()


def test_a_hostile_file_name_is_only_a_name(call: Callable, folders: Path) -> None:
    name = '<img src=x onerror=alert(1)>"&'
    _save(folders / "photos" / f"{name}.png", RED)
    _save(folders / "mine" / f"{name}.png", BLUE)
    assert _compare(call, "mine=mine").status == 0
    assert _Page(Path("out/here/comparison.html")).pictures[:2] == [
        f"{name}: photo",
        f"{name}: mine",
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--photos=photos", "mine=mine"], "--photos and --output are needed"),
        (["--output=out", "mine=mine"], "--photos and --output are needed"),
        (["--photos=photos", "--output=out"], "give NAME=FOLDER or --model"),
        (["--photos=photos", "--output=out", "mine"], "'mine' is not NAME=FOLDER"),
        (["--photos=photos", "--output=out", "photo=mine"], "would be called 'photo'"),
        (["--photos=photos", "--output=out", "a=nowhere"], "nowhere: there is no such folder"),
        (["--photos=empty", "--output=out", "a=mine"], "--photos=empty: no pictures in it"),
        (["--photos=photos", "--output=mine", "a=mine"], "choose another folder"),
        (["--photos=photos", "--output=photos/ant.png", "a=mine"], "it is not a folder"),
        (["--photos=photos", "--output=out", "--model=nowhere"], "no model 'nowhere'"),
        (["--photos=photos", "--output=out", "a=mine", "--height=0"], "height"),
    ],
)
def test_calls_that_make_no_sense_are_refused(
    call: Callable, folders: Path, arguments: list[str], reason: str
) -> None:
    Path("empty").mkdir()
    outcome = call(compare, *arguments)
    assert outcome.status == 2
    assert reason in outcome.err
    assert not Path("out").exists()


def test_help_tells_of_names_and_models(call: Callable) -> None:
    outcome = call(compare, "--help")
    assert outcome.status == 0
    assert "mine=cartoons theirs=others" in outcome.out
    assert "--height=int (default: 640)" in outcome.out
