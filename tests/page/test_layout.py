"""The page as visitors use it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from wbc_tf import cartoonize


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG file with EXIF, not square, with a name that needs care."""
    file = tmp_path_factory.mktemp("photos") / "my cat (1).jpg"
    exif = Image.Exif()
    exif[0x010E] = "a cat"
    Image.fromarray(data.chelsea()[:200, :280]).save(file, exif=exif)
    return file


def test_a_photo_becomes_the_file_that_the_command_line_writes(
    address: str, visit: Callable, photo: Path, tiny_model: Path, tmp_path: Path, call: Callable
) -> None:
    visitor = visit(address)
    visitor.choose("photo", photo)
    visitor.make("photo")
    made = visitor.download("photo")
    output = tmp_path / "cartoon.jpg"
    arguments = (f"--input={photo}", f"--output={output}", f"--model={tiny_model}")
    assert call(cartoonize, *arguments).status == 0
    assert made == output.read_bytes()
    expect(visitor.page.locator("#slider img")).to_have_count(2)
    assert visitor.elsewhere == []


def test_a_bad_file_is_a_sentence_and_the_next_picture_works(
    address: str, visit: Callable, photo: Path, tmp_path: Path
) -> None:
    visitor = visit(address)
    half = tmp_path / "half.jpg"
    half.write_bytes(photo.read_bytes()[:5000])
    large = tmp_path / "large.png"
    Image.new("RGB", (600, 600)).save(large)
    for file, sentence in ((half, "half.jpg: "), (large, "At most 0.3 megapixels are allowed.")):
        visitor.choose("photo", file)
        visitor.make("photo")
        message = visitor.message()
        assert sentence in message
        assert str(tmp_path) not in message
        assert "Traceback" not in message
    dot = tmp_path / "dot.png"
    Image.new("RGB", (1, 1)).save(dot)
    visitor.choose("photo", dot)
    visitor.make("photo")
    assert visitor.download("photo").startswith(b"\x89PNG")
