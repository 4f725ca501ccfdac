from __future__ import annotations

from pathlib import Path

import pytest

from wbc_tf import cluster
from wbc_tf.cli.cluster_flags import define_cluster_flags, listed_jobs
from wbc_tf.cli.command_line import UsageError, new_flags
from wbc_tf.inference.report import Entry


def test_a_cluster_of_this_machine_is_the_default() -> None:
    values = new_flags()
    define_cluster_flags(values)
    values(["cluster", "--workers=3", "--gpus_per_worker=0.25"])
    assert (values.address, values.workers, values.gpus_per_worker) == ("local", 3, 0.25)


def test_a_film_that_cannot_be_written_so_fails_alone(photos: Path, tmp_path: Path) -> None:
    values = cluster.define_flags()
    values(["cluster", f"--input={photos}", f"--output={tmp_path / 'out'}", "--crf=99"])
    failed = [i for i in listed_jobs(values) if isinstance(i, Entry) and i.status == "failed"]
    assert [(entry.source, "--crf=99" in str(entry.error)) for entry in failed] == [
        (str(photos / "c.mkv"), True)
    ]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--input=photos"], "--input and --output are needed"),
        (["--input=nowhere", "--output=out"], "nowhere: no such file"),
        (["--input=empty", "--output=out"], "no pictures or videos in empty"),
        (["--input=photos", "--output=photos"], "a.png would be overwritten"),
        (["--input=photos", "--output=out", "--report=photos/a.png"], "would overwrite it"),
        (["--input=photos", "--output=s4://out"], "s4://out"),
    ],
)
def test_what_makes_no_sense_is_refused(
    photos: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str], message: str
) -> None:
    monkeypatch.chdir(photos.parent)
    Path("empty").mkdir()
    values = cluster.define_flags()
    values(["cluster", *flags])
    with pytest.raises(UsageError, match=message):
        listed_jobs(values)
    assert not Path("out").exists()
