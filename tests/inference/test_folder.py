from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wbc_tf.images import read_photo, read_rgb
from wbc_tf.inference.folder import InputError, Job, Tally, cartoonize_files, plan_jobs


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def _plan(folder: Path, inputs: list[str], output: str, **options) -> dict[str, str]:
    """plan_jobs below `folder`: source -> target, both relative to it."""
    jobs = plan_jobs([str(folder / name) for name in inputs], folder / output, **options)
    return {
        job.source.relative_to(folder).as_posix(): job.target.relative_to(folder).as_posix()
        for job in jobs
    }


# Planning.


def test_files_go_into_the_folder(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg", "sub/b.png")
    assert _plan(tmp_path, ["a.jpg", "sub/b.png"], "out") == {
        "a.jpg": "out/a.jpg",
        "sub/b.png": "out/b.png",
    }


def test_a_folders_pictures_are_found_and_only_they(tmp_path: Path) -> None:
    _touch(tmp_path, "in/a.jpg", "in/notes.txt", "in/.hidden.png", "in/sub/b.png")
    assert _plan(tmp_path, ["in"], "out") == {"in/a.jpg": "out/a.jpg"}


def test_recursive_keeps_the_tree(tmp_path: Path) -> None:
    _touch(tmp_path, "in/a.jpg", "in/x/a.jpg", "in/x/y/a.jpg")
    assert _plan(tmp_path, ["in"], "out", recursive=True) == {
        "in/a.jpg": "out/a.jpg",
        "in/x/a.jpg": "out/x/a.jpg",
        "in/x/y/a.jpg": "out/x/y/a.jpg",
    }


def test_globs_match_and_each_picture_counts_once(tmp_path: Path) -> None:
    _touch(tmp_path, "a1.jpg", "a2.jpg", "b1.jpg")
    assert list(_plan(tmp_path, ["a*.jpg", "a1.jpg", "?1.jpg"], "out")) == [
        "a1.jpg",
        "a2.jpg",
        "b1.jpg",
    ]


def test_a_glob_may_match_folders(tmp_path: Path) -> None:
    _touch(tmp_path, "day1/a.jpg", "day2/b.jpg")
    assert _plan(tmp_path, ["day*"], "out") == {
        "day1/a.jpg": "out/a.jpg",
        "day2/b.jpg": "out/b.jpg",
    }


def test_a_name_with_brackets_is_meant_literally(tmp_path: Path) -> None:
    _touch(tmp_path, "a[1].jpg", "a1.jpg")
    assert list(_plan(tmp_path, ["a[1].jpg"], "out")) == ["a[1].jpg"]


def test_an_output_folder_inside_the_input_is_left_out(tmp_path: Path) -> None:
    _touch(tmp_path, "in/a.jpg", "in/out/a.jpg", "in/out/old/b.jpg", "in/other/c.jpg")
    assert _plan(tmp_path, ["in"], "in/out", recursive=True) == {
        "in/a.jpg": "in/out/a.jpg",
        "in/other/c.jpg": "in/out/other/c.jpg",
    }


def test_an_output_folder_above_the_input_hides_nothing(tmp_path: Path) -> None:
    _touch(tmp_path, "all/in/a.jpg")
    assert _plan(tmp_path, ["all/in"], "all") == {"all/in/a.jpg": "all/a.jpg"}


def test_earlier_results_named_outright_are_pictures_like_others(tmp_path: Path) -> None:
    _touch(tmp_path, "out/a.jpg")
    assert _plan(tmp_path, ["out/a.jpg"], "out/twice") == {"out/a.jpg": "out/twice/a.jpg"}


def test_one_file_may_become_one_file(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg")
    assert _plan(tmp_path, ["a.jpg"], "b.png") == {"a.jpg": "b.png"}
    assert _plan(tmp_path, ["a.jpg"], "b.png", file_format="PNG") == {"a.jpg": "b.png"}


def test_a_folder_named_like_a_picture_is_a_folder(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg", "out.png/other.txt")
    assert _plan(tmp_path, ["a.jpg"], "out.png") == {"a.jpg": "out.png/a.jpg"}


def test_a_file_named_outright_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    _touch(tmp_path, "photo")
    assert _plan(tmp_path, ["photo"], "out") == {"photo": "out/photo.png"}


def test_formats(tmp_path: Path) -> None:
    _touch(tmp_path, "in/a.jpeg", "in/b.gif", "in/c.WEBP")
    assert list(_plan(tmp_path, ["in"], "out").values()) == [
        "out/a.jpeg",
        "out/b.png",  # GIF's 256 colours are read, not written
        "out/c.WEBP",
    ]
    assert list(_plan(tmp_path, ["in"], "out", file_format="TIFF").values()) == [
        "out/a.tif",
        "out/b.tif",
        "out/c.tif",
    ]


@pytest.mark.parametrize(
    ("inputs", "output", "options", "message"),
    [
        (["nowhere"], "out", {}, r"nowhere: no such file or folder"),
        (["none*.jpg"], "out", {}, r"no name matches"),
        (["empty"], "out", {}, r"no pictures \(.*\.jpg.*\) in .*empty"),
        (["in"], "one.png", {}, r"one file, but there are 2 inputs"),
        (["a.jpg"], "a.gif", {}, r"cannot write '\.gif'"),
        (["a.jpg"], "b.jpg", {"file_format": "PNG"}, r"named as JPEG, but --format=PNG"),
        (["a.jpg", "sub/a.jpg"], "out", {}, r"would both become .*out/a\.jpg"),
        (["in"], "out", {"file_format": "PNG"}, r"would both become .*out/x\.png"),
        (["a.jpg"], "", {}, r"a\.jpg would be overwritten"),
        (["a.jpg"], "a.jpg", {}, r"a\.jpg would be overwritten"),
        (["in"], "in", {}, r"would be overwritten"),
    ],
)
def test_what_makes_no_sense_is_refused_whole(
    tmp_path: Path, inputs: list[str], output: str, options: dict, message: str
) -> None:
    _touch(tmp_path, "a.jpg", "sub/a.jpg", "in/x.jpg", "in/x.bmp", "empty/notes.txt")
    with pytest.raises(InputError, match=message):
        _plan(tmp_path, inputs, output, **options)


def test_overwriting_oneself_is_seen_through_a_link(tmp_path: Path) -> None:
    _touch(tmp_path, "in/a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    with pytest.raises(InputError, match="would be overwritten"):
        _plan(tmp_path, ["in"], "link")


def test_a_link_back_up_is_walked_once(tmp_path: Path) -> None:
    _touch(tmp_path, "in/a.jpg")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    assert _plan(tmp_path, ["in"], "out", recursive=True) == {"in/a.jpg": "out/a.jpg"}


# Working.


class Inverter:
    """Stands in for a model: dark for light, and every second pixel at the working size."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, rgb: np.ndarray, *, short_side: int, output_size: str) -> np.ndarray:
        self.calls += 1
        if rgb[0, 0, 0] == 99:
            raise ValueError("the model stumbled")
        return 255 - (rgb if output_size == "input" else rgb[::2, ::2])


SETTINGS = {"short_side": 0, "output_size": "input"}


def _save(path: Path, level: int = 10, mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 4), (level,) * 3).convert(mode).save(path)
    return path


def test_each_picture_becomes_its_cartoon(tmp_path: Path) -> None:
    jobs = [
        Job(_save(tmp_path / f"{level}.png", level), tmp_path / "out" / "deep" / f"{level}.png")
        for level in (10, 20)
    ]
    assert cartoonize_files(Inverter(), jobs, **SETTINGS) == Tally(written=2, skipped=0, failed=0)
    for level in (10, 20):
        cartoon = read_rgb(tmp_path / "out" / "deep" / f"{level}.png")
        np.testing.assert_array_equal(cartoon, np.full((4, 6, 3), 255 - level))


def test_what_is_there_is_skipped_unless_it_may_be_overwritten(tmp_path: Path) -> None:
    jobs = [Job(_save(tmp_path / "a.png"), tmp_path / "b.png")]
    (tmp_path / "b.png").write_bytes(b"an earlier result")
    model = Inverter()
    assert cartoonize_files(model, jobs, **SETTINGS) == Tally(written=0, skipped=1, failed=0)
    assert (tmp_path / "b.png").read_bytes() == b"an earlier result"
    assert model.calls == 0
    tally = cartoonize_files(model, jobs, overwrite=True, **SETTINGS)
    assert tally == Tally(written=1, skipped=0, failed=0)
    assert read_rgb(tmp_path / "b.png")[0, 0, 0] == 245


def test_bad_files_are_named_and_counted_and_stop_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "taken").touch()
    good = _save(tmp_path / "good.png")
    jobs = [
        Job(tmp_path / "missing.png", tmp_path / "out" / "1.png"),
        Job(tmp_path / "empty.png", tmp_path / "out" / "2.png"),
        Job(_save(tmp_path / "stumble.png", 99), tmp_path / "out" / "3.png"),
        Job(good, tmp_path / "taken" / "4.png"),  # no folder can be made there
        Job(good, tmp_path / ("n" * 252 + ".png")),  # one letter too long for the file system
        Job(good, tmp_path / "out" / "6.png"),
    ]
    tally = cartoonize_files(Inverter(), jobs, **SETTINGS)
    assert tally == Tally(written=1, skipped=0, failed=5)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("failed:")]
    assert len(lines) == 5
    for line, reason in zip(
        lines,
        [
            "missing.png: there is no such file",
            "empty.png: an empty file",
            "stumble.png -> .*3.png: the model stumbled",
            "good.png -> .*4.png: .*taken",
            "good.png -> .*File name too long",
        ],
    ):
        assert re.search(reason, line), line
    assert os.listdir(tmp_path / "out") == ["6.png"], "no temporary files"


@pytest.mark.parametrize(("output_size", "shape"), [("input", (4, 6)), ("working", (2, 3))])
def test_alpha_goes_with_the_picture(
    tmp_path: Path, output_size: str, shape: tuple[int, int]
) -> None:
    rgba = np.full((4, 6, 4), 10, np.uint8)
    rgba[..., 3] = np.where(np.arange(6) < 2, 0, 255)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    jobs = [Job(tmp_path / "a.png", tmp_path / "b.png")]
    tally = cartoonize_files(Inverter(), jobs, short_side=2, output_size=output_size)
    assert tally.written == 1
    photo = read_photo(tmp_path / "b.png")
    assert photo.rgb.shape == (*shape, 3)
    columns = np.array([0, 255, 255] if output_size == "working" else [0, 0, 255, 255, 255, 255])
    np.testing.assert_array_equal(photo.alpha, np.broadcast_to(columns, shape))


def test_quality_reaches_the_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    for quality in (10, 95):
        jobs = [Job(tmp_path / "a.png", tmp_path / f"{quality}.jpg")]
        cartoonize_files(Inverter(), jobs, quality=quality, **SETTINGS)
    sizes = [(tmp_path / f"{quality}.jpg").stat().st_size for quality in (10, 95)]
    assert sizes[0] < sizes[1] / 2
