"""A folder of whatever people have: every good file written and right, every bad one named."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, features

from wbc_tf import cartoonize
from wbc_tf.files.metadata import srgb_profile
from wbc_tf.files.owners import owner
from wbc_tf.files.pictures import Animation, encode_animation, encode_image, read_photo
from wbc_tf.inference.cartoonizer import Cartoonizer

SHORT_SIDE = 16
ARTIST, ORIENTATION = 0x013B, 0x0112


def _rgb(height: int = 21, width: int = 34) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    levels = [255 * y / height, 255 * x / width, 255 - 255 * y / height]
    return np.dstack(levels).astype(np.uint8)


def _encoded(
    mode: str, file_format: str, size: tuple[int, int] = (21, 34), **options: Any
) -> bytes:
    content = io.BytesIO()
    Image.fromarray(_rgb(*size)).convert(mode).save(content, file_format, **options)
    return content.getvalue()


def _deep(extension: str, *, grey: bool) -> bytes:
    pixels = _rgb()[..., 0] if grey else _rgb()
    return cv2.imencode(extension, pixels.astype(np.uint16) * 257)[1].tobytes()


def _oriented(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION], exif[ARTIST] = orientation, "somebody"
    return _encoded("RGB", "JPEG", exif=exif, quality=95)


def _moving(file_format: str, *, transparent: bool) -> bytes:
    frames = np.stack([np.roll(_rgb(), 5 * number, axis=1) for number in range(3)])
    alpha = np.full(frames.shape[:3], 255, np.uint8)
    alpha[:, :5, :7] = 0
    animation = Animation(frames, alpha if transparent else None, (50.0, 100.0, 150.0), 2)
    return encode_animation(animation, file_format=file_format)


def _with_alpha(file_format: str) -> bytes:
    rgb = _rgb()
    alpha = np.where(rgb[..., 0] > 100, 255, 0).astype(np.uint8)
    return encode_image(rgb, alpha=alpha, file_format=file_format)


def _good() -> dict[str, bytes]:
    """Name -> content; some forty kinds."""
    files = {
        "grey.jpg": _encoded("L", "JPEG"),
        "cmyk.jpg": _encoded("CMYK", "JPEG"),
        "progressive.jpg": _encoded("RGB", "JPEG", progressive=True),
        "srgb profile.jpg": _encoded("RGB", "JPEG", icc_profile=srgb_profile()),
        "UPPER.JPG": _encoded("RGB", "JPEG"),
        "windows.jfif": _encoded("RGB", "JPEG"),
        "two.dots.jpeg": _encoded("RGB", "JPEG"),
        "bit.png": _encoded("1", "PNG"),
        "grey.png": _encoded("L", "PNG"),
        "grey alpha.png": _encoded("LA", "PNG"),
        "palette.png": _encoded("P", "PNG"),
        "palette clear.png": _encoded("P", "PNG", transparency=3),
        "deep grey.png": _deep(".png", grey=True),
        "deep colour.png": _deep(".png", grey=False),
        "deep colour.tif": _deep(".tif", grey=False),
        "deep grey.tif": _deep(".tif", grey=True),
        "cmyk.tif": _encoded("CMYK", "TIFF"),
        "lzw.tiff": _encoded("RGB", "TIFF", compression="tiff_lzw"),
        "plain.bmp": _encoded("RGB", "BMP"),
        "palette.bmp": _encoded("P", "BMP"),
        "lossless.webp": _encoded("RGB", "WEBP", lossless=True),
        "still.gif": _encoded("P", "GIF"),
        "one pixel.png": _encoded("RGB", "PNG", (1, 1)),
        "one row.png": _encoded("RGB", "PNG", (1, 90)),
        "one column.png": _encoded("RGB", "PNG", (90, 1)),
        "png.jpg": _encoded("RGB", "PNG"),
        "jpg.png": _encoded("RGB", "JPEG"),
        "gif.webp": _moving("GIF", transparent=False),
        "ünïcödé 写真 😀.png": _encoded("RGB", "PNG"),
        "[star*].png": _encoded("RGB", "PNG"),
        "-dash --flag=1.png": _encoded("RGB", "PNG"),
        "new\nline.png": _encoded("RGB", "PNG"),
        "n" * 250 + ".png": _encoded("RGB", "PNG"),
        "deep/er/same.png": _encoded("RGB", "PNG"),
        "folder.jpg/same.png": _encoded("RGB", "PNG"),
    }
    for number in range(2, 9):
        files[f"turned {number}.jpg"] = _oriented(number)
    for file_format, extension in (("GIF", ".gif"), ("WEBP", ".webp"), ("PNG", ".apng")):
        files[f"moving{extension}"] = _moving(file_format, transparent=False)
        files[f"moving clear{extension}"] = _moving(file_format, transparent=True)
    for file_format, extension in (("PNG", ".png"), ("WEBP", ".webp"), ("TIFF", ".tif")):
        files[f"alpha{extension}"] = _with_alpha(file_format)
    if features.check("avif"):
        files["phone.avif"] = _encoded("RGB", "AVIF")
    return files


def _bad() -> dict[str, tuple[bytes, str]]:
    """Name -> content and what is said of it."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    files = {
        "empty.jpg": (b"", "an empty file"),
        "empty.png": (b"", "an empty file"),
        "text.png": (b"not a picture", "not a picture that Pillow can read"),
        "page.jpg": (b"<!DOCTYPE html><title>404</title>", "not a picture that Pillow can read"),
        "zeros.tif": (bytes(1000), "not a picture that Pillow can read"),
        "apple.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "HEIC, which Pillow"),
        "bomb.png": (_encoded("1", "PNG", (3000, 3000)), "3000 x 3000 is too many pixels"),
    }
    for file_format in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"):
        whole = encode_image(noise, file_format=file_format)
        files[f"cut {file_format}.png"] = (whole[: len(whole) // 2], "broken or cut off")
    moving = _moving("PNG", transparent=False)
    files["cut moving.png"] = (moving[: len(moving) * 3 // 4], "broken or cut off")
    return files


def _make(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Writes it all; returns the good names, and of the bad ones what is to be said."""
    good, bad = _good(), _bad()
    for name, content in {**good, **{name: content for name, (content, _) in bad.items()}}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    reasons = {name: reason for name, (_, reason) in bad.items()}
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "hidden").write_bytes(good["grey.png"])
    (folder / "link.png").symlink_to(folder / "elsewhere" / "hidden")
    (folder / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "notes.txt").write_text("not asked for")
    (folder / ".hidden.png").write_bytes(b"")
    reasons |= {"gone.png": "a link to nothing", "pipe.png": "a pipe or device"}
    return [*good, "link.png"], reasons


def _target(name: str) -> str:
    return str(Path(name).with_suffix(".png")) if name.endswith(".avif") else name


def _files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}


def test_every_good_file_is_right_and_every_bad_one_named(
    call: Callable[..., Any], tiny_model: Path, tmp_path: Path
) -> None:
    photos, cartoons = tmp_path / "in", tmp_path / "out"
    good, reasons = _make(photos)
    assert len(good) + len(reasons) >= 60
    outcome = call(
        cartoonize,
        f"--input={photos}",
        f"--output={cartoons}",
        f"--model={tiny_model}",
        f"--report={tmp_path / 'report.jsonl'}",
        f"--short_side={SHORT_SIDE}",
        "--recursive",
        "--max_megapixels=8",
    )
    assert outcome.status == 1
    assert outcome.out.splitlines()[-1] == f"{len(good)} written, 0 skipped, {len(reasons)} failed"
    assert _files(cartoons) == {_target(name) for name in good}, "nothing partial, no temporary"

    lines = (tmp_path / "report.jsonl").read_text("ascii").splitlines()
    entries = {
        Path(entry["source"]).relative_to(photos).as_posix(): entry
        for entry in map(json.loads, lines)
    }
    assert entries.keys() == {*good, *reasons, "notes.txt", "elsewhere/hidden"}
    failed = [line for line in outcome.err.split("\n") if line.startswith("failed: ")]
    assert len(failed) == len(reasons)
    for name, reason in reasons.items():
        assert entries[name]["status"] == "failed"
        assert f"{photos / name}: {reason}" in entries[name]["error"]
        assert f"failed: {entries[name]['error']}" in outcome.err

    tiny = Cartoonizer.load(tiny_model)
    for name in good:
        source = read_photo(photos / name, animated=True)
        cartoon = read_photo(cartoons / _target(name), animated=True)
        assert entries[name]["status"] == "written", name
        assert cartoon.rgb.shape == source.rgb.shape, name
        # Drawn alone or in a batch, the last bit of a float may differ; GIF has 256 colours.
        coarse = cartoon.format in ("JPEG", "WEBP", "GIF")
        expected = tiny(source.rgb, short_side=SHORT_SIDE).astype(int)
        seen = slice(None) if source.alpha is None else source.alpha > 0
        error = np.abs(cartoon.rgb - expected)[seen]
        assert error.mean() < 12 if coarse else error.max() <= 1, name
        if source.alpha is not None:
            np.testing.assert_array_equal(cartoon.alpha, source.alpha, err_msg=name)
        if name.startswith("moving"):
            before, after = source.animation, cartoon.animation
            assert before is not None, name
            assert after is not None, name
            assert after.rgb.shape == before.rgb.shape == (3, 21, 34, 3)
            assert (after.milliseconds, after.loop) == ((50.0, 100.0, 150.0), 2), name
            assert (after.alpha is None) == ("clear" not in name)
            assert entries[name]["frames"] == 3
        if name.startswith("turned"):
            upright = (34, 21) if int(name[7]) >= 5 else (21, 34)
            assert cartoon.rgb.shape[:2] == upright, name
            with Image.open(cartoons / name) as written:
                exif = written.getexif()
            assert (exif[ARTIST], exif[ORIENTATION]) == ("somebody", 1)
    assert entries["deep colour.png"]["notes"] == ["16 bits a channel kept as 8"]
    assert entries["png.jpg"]["notes"] == ["named like JPEG, but it is PNG"]
    with Image.open(cartoons / "srgb profile.jpg") as written:
        assert written.info["icc_profile"] == srgb_profile()


def test_a_folder_broken_off_by_sigkill_is_completed(
    root: Path, call: Callable[..., Any], tiny_model: Path, tmp_path: Path
) -> None:
    photos, cartoons = tmp_path / "in", tmp_path / "out"
    photos.mkdir()
    for number in range(60):
        Image.fromarray(_rgb(300 + number, 400)).save(photos / f"{number:02}.png")
    arguments = [f"--input={photos}", f"--output={cartoons}", f"--model={tiny_model}"]
    process = subprocess.Popen(
        [sys.executable, str(root / "cartoonize.py"), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not (cartoons / "02.png").exists():
        time.sleep(0.005)
    process.kill()
    _, chatter = process.communicate()
    assert process.returncode == -signal.SIGKILL, "it was faster than we"
    others = [line for line in chatter.splitlines() if not re.match(r"\d+ written, ", line)]
    assert others == [], "TensorFlow's own log is not for people"
    there = {path.name for path in cartoons.glob("*.png")}
    assert 3 <= len(there) < 60
    left = f".wbc-{owner(process.pid)}-01234567.tmp"
    (cartoons / left).write_bytes(b"half a picture")  # if it was not caught writing

    outcome = call(cartoonize, *arguments)
    assert outcome.out == f"{60 - len(there)} written, {len(there)} skipped, 0 failed\n"
    assert _files(cartoons) == _files(photos)
    for path in cartoons.iterdir():
        assert read_photo(path).rgb.shape == read_photo(photos / path.name).rgb.shape


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_told_in_a_line(
    call: Callable[..., Any],
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    before = signal.getsignal(number)
    photos = tmp_path / "in"
    photos.mkdir()
    for index in range(6):
        Image.fromarray(_rgb(20 + index, 30)).save(photos / f"{index}.png")
    draw = Cartoonizer.__call__

    def interrupted(self: Cartoonizer, images: np.ndarray, **options: Any) -> np.ndarray:
        if len(images) == 23:
            os.kill(os.getpid(), number)
        return draw(self, images, **options)

    monkeypatch.setattr(Cartoonizer, "__call__", interrupted)
    outcome = call(
        cartoonize, f"--input={photos}", f"--output={tmp_path / 'out'}", f"--model={tiny_model}"
    )
    assert outcome.status == 128 + number
    assert outcome.err == "interrupted; the same call goes on where this one stopped\n"
    assert signal.getsignal(number) is before
    assert _files(tmp_path / "out") <= {"0.png", "1.png", "2.png"}
