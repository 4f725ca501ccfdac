from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wbc_tf import cartoonize
from wbc_tf.files.pictures import read_photo, read_rgb
from wbc_tf.inference.cartoonizer import Cartoonizer


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> Cartoonizer:
    return Cartoonizer.load(tiny_model)


def _picture(height: int = 20, width: int = 31) -> Image.Image:
    # Smooth, so that a JPEG of it stays close.
    y, x = np.mgrid[:height, :width]
    levels = np.dstack([255 * y / height, 255 * x / width, 255 - 255 * y / height])
    return Image.fromarray(levels.astype(np.uint8))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three photos in a folder, one of them a level deeper."""
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    _picture().save(tmp_path / "photos" / "a.png")
    _picture(45, 24).save(tmp_path / "photos" / "b.jpg", quality=95)
    _picture(9, 9).save(tmp_path / "photos" / "deep" / "c.png")
    return tmp_path / "photos"


# The command as users call it.


def test_the_script_draws_what_the_model_draws(
    root: Path, photos: Path, tiny: Cartoonizer, tiny_model: Path, tmp_path: Path
) -> None:
    # That a model draws the authors' pictures is tested in tests/inference/test_cartoonizer.py.
    command = [sys.executable, str(root / "cartoonize.py"), f"--model={tiny_model}"]
    command += [f"--input={photos / 'b.jpg'}", "--short_side=12"]
    command += [f"--output={tmp_path / 'out'}", "--output_size=working", "--format=png"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1 written, 0 skipped, 0 failed"
    assert os.listdir(tmp_path / "out") == ["b.png"]
    expected = tiny(read_rgb(photos / "b.jpg"), short_side=12, output_size="working").astype(int)
    assert np.abs(read_rgb(tmp_path / "out" / "b.png") - expected).max() <= 1


@pytest.mark.parametrize(
    ("argument", "status", "said"),
    [
        ("--help", 0, "  --short_side"),
        ("--inptu=a.jpg", 2, "inptu"),
        ("--input=/nowhere.jpg", 2, "--output"),
    ],
)
def test_help_and_mistakes_wait_for_no_large_library(
    root: Path, tmp_path: Path, argument: str, status: int, said: str
) -> None:
    # A folder that comes first on the path, with libraries that nobody can import.
    for library in ("tensorflow", "cv2", "PIL", "numpy"):
        (tmp_path / f"{library}.py").write_text("raise SystemExit('waits for a library')")
    done = subprocess.run(
        [sys.executable, str(root / "cartoonize.py"), argument],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, said in done.stdout + done.stderr) == (status, True), done


# The same in this process.


def test_a_folder_becomes_a_folder(
    call: Callable, tiny: Cartoonizer, tiny_model: Path, photos: Path, tmp_path: Path
) -> None:
    arguments = [f"--input={photos}", f"--output={tmp_path / 'out'}", f"--model={tiny_model}"]
    outcome = call(cartoonize, *arguments)
    assert outcome.status == 0
    assert outcome.out.splitlines()[-1] == "2 written, 0 skipped, 0 failed"
    assert sorted(os.listdir(tmp_path / "out")) == ["a.png", "b.jpg"]
    np.testing.assert_array_equal(
        read_rgb(tmp_path / "out" / "a.png"), tiny(read_rgb(photos / "a.png"))
    )
    assert read_photo(tmp_path / "out" / "b.jpg").format == "JPEG"

    outcome = call(cartoonize, *arguments, "--recursive")
    assert outcome.status == 0
    assert outcome.out.splitlines()[-1] == "1 written, 2 skipped, 0 failed"
    assert (tmp_path / "out" / "deep" / "c.png").is_file()

    (tmp_path / "out" / "a.png").write_bytes(b"old")
    outcome = call(cartoonize, *arguments, "--overwrite")
    assert outcome.out.splitlines()[-1] == "2 written, 0 skipped, 0 failed"
    assert read_photo(tmp_path / "out" / "a.png").format == "PNG"


def test_flags_reach_the_picture(
    call: Callable, tiny: Cartoonizer, tiny_model: Path, photos: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.tif"
    outcome = call(
        cartoonize,
        f"--input={photos / 'b.jpg'}",
        f"--output={output}",
        f"--model={tiny_model}",
        "--short_side=12",
        "--output_size=working",
        "--format=tiff",
    )
    assert outcome.status == 0
    assert read_photo(output).format == "TIFF"
    expected = tiny(read_rgb(photos / "b.jpg"), short_side=12, output_size="working")
    assert expected.shape == (22, 12, 3)
    np.testing.assert_array_equal(read_rgb(output), expected)


def _grey(folder: Path) -> None:
    _picture().convert("L").save(folder / "x.png")


def _palette(folder: Path) -> None:
    _picture().quantize(8).save(folder / "x.png")


def _cmyk(folder: Path) -> None:
    _picture().convert("CMYK").save(folder / "x.jpg")


def _sixteen_bits(folder: Path) -> None:
    levels = np.asarray(_picture().convert("L")).astype(np.uint16) * 257
    Image.fromarray(levels).save(folder / "x.png")


def _alpha(folder: Path) -> None:
    picture = _picture().convert("RGBA")
    picture.putalpha(100)
    picture.save(folder / "x.png")


def _rotated(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    _picture(31, 20).save(folder / "x.jpg", exif=exif)


def _one_pixel(folder: Path) -> None:
    _picture(1, 1).save(folder / "x.png")


@pytest.mark.parametrize(
    "make", [_grey, _palette, _cmyk, _sixteen_bits, _alpha, _rotated, _one_pixel]
)
def test_every_kind_of_picture_is_taken(
    call: Callable, tiny: Cartoonizer, tiny_model: Path, tmp_path: Path, make: Callable
) -> None:
    (tmp_path / "in").mkdir()
    make(tmp_path / "in")
    outcome = call(
        cartoonize,
        f"--input={tmp_path / 'in'}",
        f"--output={tmp_path / 'out'}",
        f"--model={tiny_model}",
        "--format=png",
    )
    assert outcome.status == 0, outcome.err
    (source,) = (tmp_path / "in").iterdir()
    photo, cartoon = read_photo(source), read_photo(tmp_path / "out" / "x.png")
    size = (1, 1) if make is _one_pixel else (20, 31)
    assert cartoon.rgb.shape == (*size, 3)
    np.testing.assert_array_equal(cartoon.rgb, tiny(photo.rgb))
    if make is _alpha:
        np.testing.assert_array_equal(cartoon.alpha, np.full(size, 100))


def test_bad_files_are_named_counted_and_make_status_1(
    call: Callable, tiny_model: Path, photos: Path, tmp_path: Path
) -> None:
    (photos / "empty.png").touch()
    (photos / "text.jpg").write_text("no picture")
    outcome = call(
        cartoonize, f"--input={photos}", f"--output={tmp_path / 'out'}", f"--model={tiny_model}"
    )
    assert outcome.status == 1
    assert outcome.out.splitlines()[-1] == "2 written, 0 skipped, 2 failed"
    assert f"failed: {photos / 'empty.png'}: an empty file" in outcome.err
    assert f"failed: {photos / 'text.jpg'}: not a picture" in outcome.err
    assert sorted(os.listdir(tmp_path / "out")) == ["a.png", "b.jpg"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--input and --output are needed"),
        (["--input=photos"], "--input and --output are needed"),
        (["--input=nowhere", "--output=out"], "nowhere: no such file or folder"),
        (["--input=-", "--output=out"], "--input=- has no name"),
        (["--input=photos", "--output=one.png"], "one file, but there are 2 inputs"),
        (["--input=photos", "--output=photos"], "would be overwritten"),
        (["--input=photos/a.png", "--output=a.avif"], "cannot write '.avif'"),
        (["--input=photos", "--output=out", "--model=nowhere"], "no model 'nowhere'"),
        (["--input=photos", "--output=out", "--format=avif"], "format"),
        (["--input=photos", "--output=out", "--output_size=huge"], "output_size"),
        (["--input=photos", "--output=out", "--short_side=-1"], "short_side"),
        (["--input=photos", "--output=out", "--quality=101"], "quality"),
        (["--input=photos", "--output=out", "more.jpg"], "not understood: more.jpg"),
    ],
)
def test_calls_that_make_no_sense_are_status_2_and_write_nothing(
    call: Callable,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    outcome = call(cartoonize, *arguments)
    assert outcome.status == 2
    assert message in outcome.err
    assert sorted(tmp_path.rglob("*")) == before


def test_the_output_may_be_the_folder_above(
    call: Callable, photos: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    outcome = call(cartoonize, "--input=photos", "--output=.", f"--model={tiny_model}")
    assert outcome.out.splitlines()[-1] == "2 written, 0 skipped, 0 failed"
    assert (photos.parent / "a.png").is_file()
