from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wbc_tf.files.pictures import ImageReadError
from wbc_tf.inference import jobs
from wbc_tf.inference.jobs import InputError, Tally, plan_jobs, refuse_overwriting
from wbc_tf.inference.photo import read_job


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
    _touch(tmp_path, "in/a.jpeg", "in/b.avif", "in/c.WEBP", "in/d.gif")
    assert list(_plan(tmp_path, ["in"], "out").values()) == [
        "out/a.jpeg",
        "out/b.png",  # read, not written
        "out/c.WEBP",
        "out/d.gif",
    ]
    assert list(_plan(tmp_path, ["in"], "out", file_format="TIFF").values()) == [
        "out/a.tif",
        "out/b.tif",
        "out/c.tif",
        "out/d.tif",
    ]


@pytest.mark.parametrize(
    ("inputs", "output", "options", "message"),
    [
        (["nowhere"], "out", {}, r"nowhere: no such file or folder"),
        (["none*.jpg"], "out", {}, r"no name matches"),
        (["empty"], "out", {}, r"no pictures \(.*\.jpg.*\) in .*empty"),
        (["in"], "one.png", {}, r"one file, but there are 2 inputs"),
        (["a.jpg"], "a.heic", {}, r"cannot write '\.heic'"),
        (["a.jpg"], "b.jpg", {"file_format": "PNG"}, r"named as JPEG, but --format=PNG"),
        (["a.jpg", "sub/a.jpg"], "out", {}, r"would both become .*out/a\.jpg"),
        (
            ["in"],
            "out",
            {"file_format": "PNG", "strict_names": True},
            r"would both become .*out/x\.png",
        ),
        (["a.jpg"], "a.jpgg", {}, r"did you mean .*a\.jpg\? .* write .*a\.jpgg/"),
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


def test_a_pattern_passes_over_what_is_not_called_like_a_picture(tmp_path: Path) -> None:
    _touch(tmp_path, "in/a.jpg", "in/notes.txt", "in/Thumbs.db", "in/deep/b.PNG")
    assert _plan(tmp_path, ["in/*"], "out") == {
        "in/a.jpg": "out/a.jpg",
        "in/deep/b.PNG": "out/b.PNG",
    }
    assert list(_plan(tmp_path, ["in/**/*.*"], "out")) == ["in/a.jpg", "in/deep/b.PNG"]
    with pytest.raises(InputError, match="no pictures"):
        _plan(tmp_path, ["in/*.txt"], "out")


def test_a_link_to_nothing_is_left_for_reading_to_name(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    for given in ("in", "in/gone.jpg"):
        assert _plan(tmp_path, [given], "out") == {"in/gone.jpg": "out/gone.jpg"}


def test_a_place_that_cannot_be_written_to_is_refused_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _touch(tmp_path, "a.jpg", "taken")
    with pytest.raises(InputError, match=r"taken: cannot write there, it is not a folder"):
        _plan(tmp_path, ["a.jpg"], "taken/deeper")
    # Rights do not hold root back, so the answer is made up.
    asked = []
    monkeypatch.setattr(os, "access", lambda path, mode: asked.append(path))
    with pytest.raises(InputError, match="the folder is read-only"):
        _plan(tmp_path, ["a.jpg"], "new/deeper")
    assert asked == [tmp_path], "the nearest folder that is there"


def test_a_tally_reads_like_a_sentence() -> None:
    assert str(Tally(written=3, skipped=0, failed=1)) == "3 written, 0 skipped, 1 failed"


def test_videos_are_found_among_pictures_by_whoever_can_make_them(tmp_path: Path) -> None:
    _touch(tmp_path, "in/a.jpg", "in/b.mp4", "in/deep/C.MOV", "in/d.wmv", "in/e.txt")
    assert _plan(tmp_path, ["in"], "out", recursive=True, videos=True) == {
        "in/a.jpg": "out/a.jpg",
        "in/b.mp4": "out/b.mp4",
        "in/d.wmv": "out/d.mkv",
        "in/deep/C.MOV": "out/deep/C.MOV",
    }
    assert _plan(tmp_path, ["in"], "out") == {"in/a.jpg": "out/a.jpg"}
    assert _plan(tmp_path, ["in/*.mp4"], "out", videos=True, file_format="PNG") == {
        "in/b.mp4": "out/b.mp4"
    }
    assert _plan(tmp_path, ["in/b.mp4"], "c.webm", videos=True) == {"in/b.mp4": "c.webm"}


@pytest.mark.parametrize(
    ("inputs", "output", "message"),
    [
        (["in/b.mp4"], "c.png", "a video cannot be written as '.png'; choose one of .avi"),
        (["in/a.jpg"], "c.mp4", "cannot write '.mp4'; choose one of .bmp"),
        (["in"], "c.mp4", "one file, but there are 3 inputs"),
        (["in/b.mp4"], "in", "would be overwritten"),
        (["in/*.txt"], "out", r"no pictures or videos \(.jpg .*.mp4"),
    ],
)
def test_videos_that_make_no_sense_are_refused(
    tmp_path: Path, inputs: list[str], output: str, message: str
) -> None:
    _touch(tmp_path, "in/a.jpg", "in/b.mp4", "in/b.mkv", "in/e.txt")
    with pytest.raises(InputError, match=message):
        _plan(tmp_path, inputs, output, videos=True)


def test_tallies_add_up() -> None:
    assert Tally(1, 2, 3) + Tally(10, 20, 30) == Tally(written=11, skipped=22, failed=33)


def test_a_tally_counts() -> None:
    tally = Tally().counted("written").counted("failed").counted("written")
    assert tally == Tally(written=2, skipped=0, failed=1)


def test_of_two_that_would_become_the_same_the_second_keeps_its_whole_name(tmp_path: Path) -> None:
    _touch(tmp_path, "in/c.3gp", "in/c.flv", "in/d.bmp", "in/d.png")
    assert _plan(tmp_path, ["in"], "out", videos=True, file_format="PNG") == {
        "in/c.3gp": "out/c.mkv",
        "in/c.flv": "out/c.flv.mkv",
        "in/d.bmp": "out/d.png",
        "in/d.png": "out/d.png.png",
    }


def test_all_clashes_are_named(tmp_path: Path) -> None:
    _touch(tmp_path, "one/a.jpg", "one/b.jpg", "two/a.jpg", "two/b.jpg")
    with pytest.raises(InputError, match=r"two/a\.jpg would both .*two/b\.jpg would both"):
        _plan(tmp_path, ["one", "two"], "out")


def test_names_that_differ_in_case_clash_where_the_disk_ignores_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _touch(tmp_path, "in/A.png", "in/a.png")
    assert len(_plan(tmp_path, ["in"], "out")) == 2
    monkeypatch.setattr(jobs, "ignores_case", lambda folder: True)
    with pytest.raises(InputError, match=r"in/A\.png and .*in/a\.png would both become"):
        _plan(tmp_path, ["in"], "out")


def test_links_in_circles_end(tmp_path: Path) -> None:
    _touch(tmp_path, "in/a.jpg", "in/deep/b.jpg")
    for name in ("one", "two"):
        (tmp_path / "in" / "deep" / name).symlink_to(tmp_path / "in")
    (tmp_path / "in" / "c.jpg").symlink_to("c.jpg")  # no picture was made: RuntimeError
    assert _plan(tmp_path, ["in"], "out", recursive=True) == {
        "in/a.jpg": "out/a.jpg",
        "in/c.jpg": "out/c.jpg",
        "in/deep/b.jpg": "out/deep/b.jpg",
    }


def test_a_folder_that_cannot_be_listed_is_a_job_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _touch(tmp_path, "in/a.jpg", "in/locked/b.jpg")
    iterdir, listdir = Path.iterdir, os.listdir
    denied = PermissionError(errno.EACCES, "Permission denied")

    def refuse(list_it: Callable[[Path], Any]) -> Callable[[Path], Any]:
        def listing(folder: Path) -> Any:
            if Path(folder).name == "locked":
                raise denied
            return list_it(folder)

        return listing

    monkeypatch.setattr(Path, "iterdir", refuse(iterdir))
    monkeypatch.setattr(os, "listdir", refuse(listdir))
    ignored: list[Path] = []
    planned = plan_jobs([str(tmp_path / "in")], tmp_path / "out", recursive=True, ignored=ignored)
    assert [job.source.name for job in planned] == ["a.jpg", "locked"]
    with pytest.raises(ImageReadError, match=r"locked: the folder cannot be read \(Permission"):
        read_job(planned[1])


def test_files_of_other_kinds_are_counted(tmp_path: Path) -> None:
    _touch(tmp_path, "in/a.jpg", "in/notes.txt", "in/b.mp4")
    ignored: list[Path] = []
    _plan(tmp_path, ["in"], "out", ignored=ignored)
    assert [path.name for path in ignored] == ["b.mp4", "notes.txt"]


def test_a_file_that_a_flag_names_may_be_neither_input_nor_result(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg")
    planned = plan_jobs([str(tmp_path / "a.jpg")], tmp_path / "b.jpg")
    (tmp_path / "link").symlink_to("a.jpg")
    with pytest.raises(InputError, match=r"--report=.*link would overwrite an input"):
        refuse_overwriting(tmp_path / "link", "--report", planned)
    with pytest.raises(InputError, match=r"--report=.*b\.jpg is also the result"):
        refuse_overwriting(tmp_path / "b.jpg", "--report", planned)
    refuse_overwriting(tmp_path / "c.jsonl", "--report", planned)


def test_a_folder_whose_name_looks_misspelt_may_be_meant(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg")
    (job,) = plan_jobs([str(tmp_path / "a.jpg")], f"{tmp_path}/a.jpgg/")
    assert job.target == tmp_path / "a.jpgg" / "a.jpg"
