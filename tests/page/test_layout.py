"""The page as visitors use it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from tests.video import clips
from wbc_tf import cartoonize
from wbc_tf.files.pictures import read_rgb, write_image


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG file with EXIF, not square, with a name that needs care."""
    file = tmp_path_factory.mktemp("photos") / "my cat (1).jpg"
    exif = Image.Exif()
    exif[0x010E] = "a cat"
    Image.fromarray(data.chelsea()[:200, :280]).save(file, exif=exif)
    return file


def test_a_photo_becomes_the_file_that_the_command_line_writes(
    address: str, visit: Callable, photo: Path, tmp_path: Path, call: Callable
) -> None:
    visitor = visit(address)
    visitor.choose("photo", photo)
    visitor.make("photo")
    made = visitor.download("photo")
    output = tmp_path / "cartoon.jpg"
    assert call(cartoonize, f"--input={photo}", f"--output={output}").status == 0
    assert made == output.read_bytes()
    pictures = visitor.page.locator("#slider img")
    expect(pictures).to_have_count(2)
    assert [picture.get_attribute("alt") for picture in pictures.all()] == [
        *("the photo", "the cartoon")
    ]
    line = visitor.page.get_by_role("separator")
    before = line.bounding_box()["x"]
    line.press("ArrowLeft")
    assert line.bounding_box()["x"] < before, "the line moves by keyboard"
    assert visitor.elsewhere == []


def test_a_bad_file_is_a_sentence_and_the_next_picture_works(
    address: str, visit: Callable, photo: Path, tmp_path: Path
) -> None:
    visitor = visit(address)
    text = tmp_path / "text.png"
    text.write_text("no picture", "utf-8")
    half = tmp_path / "half.jpg"
    half.write_bytes(photo.read_bytes()[:5000])
    large = tmp_path / "large.png"
    Image.new("RGB", (600, 600)).save(large)
    for file, sentence in (
        (text, "text.png: not a picture"),
        (half, "half.jpg: broken or cut off"),
        (large, "At most 0.3 megapixels are allowed."),
    ):
        visitor.choose("photo", file)
        visitor.make("photo")
        message = visitor.message()
        assert sentence in message
        assert "/" not in message, "no path of the server"
    heavy = tmp_path / "heavy.jpg"
    heavy.write_bytes(photo.read_bytes() + bytes(2**20))
    visitor.choose("photo", heavy)
    assert "maximum allowed size" in visitor.message()
    dot = tmp_path / "dot.png"
    Image.new("RGB", (1, 1)).save(dot)
    visitor.choose("photo", dot)
    visitor.make("photo")
    assert visitor.download("photo").startswith(b"\x89PNG")


def test_two_browsers_do_not_see_each_others_pictures(
    address: str, visit: Callable, photo: Path, tmp_path: Path
) -> None:
    other = tmp_path / "dot.png"
    Image.new("RGB", (3, 2)).save(other)
    one, two = visit(address), visit(address)
    one.choose("photo", photo)
    two.choose("photo", other)
    one.make("photo")
    two.make("photo")
    assert one.download("photo")[:2] == b"\xff\xd8"
    assert two.download("photo")[:4] == b"\x89PNG"
    pictures = [
        {image.get_attribute("src") for image in visitor.page.locator("#slider img").all()}
        for visitor in (one, two)
    ]
    assert len(pictures[0] | pictures[1]) == 4


def test_the_example_in_the_documentation_runs(
    address: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (root / "docs" / "app.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert "http://127.0.0.1:7860" in example
    monkeypatch.chdir(tmp_path)
    picture = data.chelsea()[:100, :120]
    write_image("cat.png", picture)
    values: dict = {}
    exec(example.replace("http://127.0.0.1:7860", address), values)
    cartoon = read_rgb(values["cartoon"])
    assert cartoon.shape == picture.shape
    assert (cartoon != picture).any()


def test_several_photos_become_a_gallery_and_a_zip_file(
    address: str, visit: Callable, photo: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture", "utf-8")
    dot = tmp_path / "dot.png"
    Image.new("RGB", (3, 2)).save(dot)
    visitor = visit(address)
    visitor.page.get_by_role("tab", name="Several photos").click()
    visitor.choose("photos", photo, text, dot)
    visitor.make("photos")
    with zipfile.ZipFile(io.BytesIO(visitor.download("photos"))) as archive:
        assert sorted(Path(name).suffix for name in archive.namelist()) == [".jpg", ".png"]
    expect(visitor.page.locator("#gallery img").first).to_be_visible()
    expect(visitor.page.locator("#note-photos")).to_contain_text("text.png: not a picture")


def test_a_video_plays_in_the_page_with_its_sound(
    address: str, visit: Callable, tmp_path: Path
) -> None:
    clip = clips.make(tmp_path / "clip.mp4", sound=[("aac", "stereo")])
    visitor = visit(address)
    visitor.page.get_by_role("tab", name="Video").click()
    visitor.choose("video", clip)
    visitor.make("video")
    made = tmp_path / "made.mp4"
    made.write_bytes(visitor.download("video"))
    with av.open(str(made)) as container:
        assert len(container.streams.audio) == 1
    player = visitor.page.locator("#result-video video")
    player.evaluate("video => { video.muted = true; return video.play() }")
    visitor.page.wait_for_function(
        "document.querySelector('#result-video video').webkitAudioDecodedByteCount > 0"
    )
