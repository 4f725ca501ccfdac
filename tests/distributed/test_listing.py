from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from wbc_tf.distributed import listing
from wbc_tf.distributed.listing import FileJob, list_jobs
from wbc_tf.distributed.storage import join, storage_of
from wbc_tf.inference.jobs import InputError, plan_jobs
from wbc_tf.inference.report import Entry

NAMES = (
    *("a.bmp", "a.jpg", "a.png", "a.b.png", "a.m/q.png", "b.txt", "c.3gp", "c.flv", "c.flv.mkv"),
    *(".hidden.png", ".h/z.png", "x/a.avif", "x/a.png", "x/y/k.TIF", "z.heic"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "in"


def jobs(*inputs: object, output: object, **options: object) -> list[FileJob]:
    listed = list_jobs([str(each) for each in inputs], str(output), **options)
    return [item for item in listed if isinstance(item, FileJob)]


@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize("file_format", ["same", "JPEG"])
def test_names_are_those_of_one_machine(
    folder: Path, tmp_path: Path, recursive: bool, file_format: str
) -> None:
    output = tmp_path / "out"
    ignored: list[Path] = []
    planned = plan_jobs(
        [str(folder)],
        output,
        recursive=recursive,
        file_format=file_format,
        videos=True,
        ignored=ignored,
    )
    expected = [FileJob(str(job.source), str(job.target)) for job in planned]
    options = {"recursive": recursive, "file_format": file_format}
    assert jobs(folder, output=output, **options) == expected
    told = [i for i in list_jobs([str(folder)], str(output), **options) if isinstance(i, Entry)]
    assert [(entry.source, entry.status) for entry in told] == [(str(ignored[0]), "ignored")]

    # The same tree in an object store.
    url = f"memory://{tmp_path.name}-{recursive}-{file_format}"
    for name in NAMES:
        storage_of(url).write(join(url, f"in/{name}"), b"")
    there = jobs(f"{url}/in", output=f"{url}/out", **options)
    base = f"{tmp_path}/"
    assert {(job.source, job.target) for job in there} == {
        (f"{url}/{job.source[len(base) :]}", f"{url}/{job.target[len(base) :]}") for job in expected
    }


def test_a_pattern_and_a_file_are_inputs_too(folder: Path, tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}"
    for name in ("in/a1.png", "in/a2.txt", "in/b.png"):
        storage_of(url).write(join(url, name), b"")
    found = jobs(folder / "a.*", f"{url}/in/a*", f"{url}/in/a2.txt", output=tmp_path / "out")
    assert [job.source.rpartition("/")[2] for job in found] == [
        *("a.b.png", "a.bmp", "a.jpg", "q.png", "a.png", "a1.png", "a2.txt")
    ]


def test_a_file_url_is_a_path(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert jobs(f"file://{folder}", output=f"file://{output}") == jobs(folder, output=output)


def test_results_in_the_input_folder_are_no_inputs(folder: Path) -> None:
    (folder / "out" / "x").mkdir(parents=True)
    (folder / "out" / "x" / "a.png").touch()
    found = jobs(folder, output=folder / "out", recursive=True)
    assert len(found) == 12
    assert not [job for job in found if "/out/" in job.source]


@pytest.mark.parametrize("strict", [False, True])
def test_two_of_one_name_fail_and_the_rest_is_made(tmp_path: Path, strict: bool) -> None:
    for name in ("one/a.png", "two/a.png", "two/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    inputs = [str(tmp_path / "one"), str(tmp_path / "two"), str(tmp_path / "one")]
    found = list(list_jobs(inputs, str(tmp_path / "out"), strict_names=strict))
    assert [getattr(item, "status", "job") for item in found] == ["job", "failed", "job"]
    assert found[1].error == (
        f"{tmp_path}/one/a.png and {tmp_path}/two/a.png would both become {tmp_path}/out/a.png"
    )


def test_strict_names_refuse_what_would_get_another_name(folder: Path, tmp_path: Path) -> None:
    found = list_jobs([str(folder)], str(tmp_path / "out"), file_format="PNG", strict_names=True)
    failed = [i.source for i in found if isinstance(i, Entry) and i.status == "failed"]
    assert failed == [str(folder / name) for name in ("a.jpg", "a.png", "c.flv")]


def test_a_file_is_not_overwritten_by_its_own_result(folder: Path) -> None:
    found = list(list_jobs([str(folder / "a.png")], str(folder)))
    assert [item.error for item in found] == [
        f"{folder}/a.png would be overwritten; choose another --output"
    ]


def test_a_single_file_may_be_named(folder: Path, tmp_path: Path) -> None:
    found = jobs(folder / "a.png", output=tmp_path / "b.jpg")
    assert found == [FileJob(str(folder / "a.png"), str(tmp_path / "b.jpg"))]


@pytest.mark.parametrize(
    ("given", "output", "message"),
    [
        ("nowhere", "out", "nowhere: no such file"),
        ("memory://nowhere/a", "out", "memory://nowhere/a: no such file"),
        ("in", "out.png", "out.png is one file, but --input is not"),
        ("in/a.png", "out.jpgg", "did you mean .*out.jpg"),
        ("in/a.png", "out.webm", "out.webm"),
        ("in", "in/a.png/out", "not a folder"),
        ("in", "s3://nowhere-at-all/out", "s3://nowhere-at-all is not there"),
    ],
)
def test_what_makes_no_sense_is_said_at_once(
    folder: Path, s3: object, monkeypatch: pytest.MonkeyPatch, given: str, output: str, message: str
) -> None:
    monkeypatch.chdir(folder.parent)
    with pytest.raises(InputError, match=message):
        next(list_jobs([given], output))


def test_a_check_refuses_a_single_file(folder: Path, tmp_path: Path) -> None:
    listed = list_jobs(
        [str(folder)],
        str(tmp_path / "out"),
        check=lambda job: "no" if job.source.endswith("a.jpg") else None,
    )
    assert [i.source for i in listed if isinstance(i, Entry) and i.error == "no"] == [
        str(folder / "a.jpg")
    ]


def test_memory_does_not_grow_with_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    class Many:
        def kind(self, name: str) -> str:
            return "folder"

        def names(self, folder: str, *, recursive: bool) -> Iterator[str]:
            for number in range(20_000):
                yield f"{number // 1000:06}/{number:09}.png"

    monkeypatch.setattr(listing, "storage_of", lambda name: Many())
    listed = list_jobs(["s3://b/in"], "s3://b/out", recursive=True)
    tracemalloc.start()
    try:
        assert sum(1 for _ in listed) == 20_000
        ours = tracemalloc.Filter(True, "*distributed*")
        held = tracemalloc.take_snapshot().filter_traces([ours]).statistics("filename")
        assert sum(each.size for each in held) < 20_000
    finally:
        tracemalloc.stop()
