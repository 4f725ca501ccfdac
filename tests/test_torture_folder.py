"""A folder of whatever people have: every good file written and right, every bad one named."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.animations import pixels
from tests.every_picture import encoded, good_pictures, gradient, moving
from wbc_tf import cartoonize
from wbc_tf.files.metadata import srgb_profile
from wbc_tf.files.pictures import encode_image, read_photo
from wbc_tf.inference.cartoonizer import Cartoonizer

SHORT_SIDE = 16
ARTIST, ORIENTATION = 0x013B, 0x0112


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
        "bomb.png": (encoded("1", "PNG", (3000, 3000)), "3000 x 3000 is too many pixels"),
    }
    for file_format in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"):
        whole = encode_image(noise, file_format=file_format)
        files[f"cut {file_format}.png"] = (whole[: len(whole) // 2], "broken or cut off")
    whole = moving("PNG", transparent=False)
    files["cut moving.png"] = (whole[: len(whole) * 3 // 4], "broken or cut off")
    return files


def _make(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Writes it all; returns the good names, and of the bad ones what is to be said."""
    good, bad = good_pictures(), _bad()
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
            channels = 4 if "clear" in name else 3
            shapes = {pixels(each).shape for each in (before, after)}
            assert shapes == {(3, 21, 34, channels)}, name
            assert (after.milliseconds, after.loop) == ((50.0, 100.0, 150.0), 2), name
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


#: `cartoonize.py`, killed just before its fifth picture gets its name.
_KILLED = """
import itertools, os, signal
from wbc_tf import cartoonize
count, replace = itertools.count(1), os.replace
def dies(source, target):
    if str(target).endswith(".png") and next(count) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
os.replace = dies
cartoonize.run()
"""


def test_a_folder_broken_off_by_sigkill_is_completed(
    root: Path, call: Callable[..., Any], tiny_model: Path, tmp_path: Path
) -> None:
    photos, cartoons = tmp_path / "in", tmp_path / "out"
    photos.mkdir()
    for number in range(12):
        Image.fromarray(gradient(300 + number, 400)).save(photos / f"{number:02}.png")
    arguments = [f"--input={photos}", f"--output={cartoons}", f"--model={tiny_model}"]
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, *arguments],
        check=False,
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    others = [line for line in killed.stderr.splitlines() if not re.match(r"\d+ written, ", line)]
    assert others == [], "TensorFlow's own log is not for people"
    there = {path.name for path in cartoons.glob("*.png")}
    assert 1 <= len(there) < 12
    assert list(cartoons.glob(".wbc-*.tmp")), "it was caught writing"

    outcome = call(cartoonize, *arguments)
    assert outcome.out == f"{12 - len(there)} written, {len(there)} skipped, 0 failed\n"
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
        Image.fromarray(gradient(20 + index, 30)).save(photos / f"{index}.png")
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
    # On a busy machine the one that was being drawn is finished before the signal is seen.
    assert _files(tmp_path / "out") <= {f"{index}.png" for index in range(4)}
