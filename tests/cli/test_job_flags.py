from __future__ import annotations

from pathlib import Path

import pytest
from absl import flags

from wbc_tf.cli.command_line import UsageError
from wbc_tf.cli.job_flags import define_job_flags, planned_jobs, told
from wbc_tf.inference.jobs import Job
from wbc_tf.inference.report import Entry


def _values(*arguments: object) -> flags.FlagValues:
    values = flags.FlagValues()
    define_job_flags(values)
    values(["command", *map(str, arguments)])
    return values


def test_help_offers_pipes_or_urls() -> None:
    for urls in (False, True):
        values = flags.FlagValues()
        define_job_flags(values, urls=urls)
        for name in ("input", "output"):
            assert ("s3://" in values[name].help) == urls
            assert ("standard" in values[name].help) != urls


def test_inputs_repeat_and_the_format_is_one_that_we_write(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.png"):
        (tmp_path / name).touch()
    values = _values(
        f"--input={tmp_path / 'a.jpg'}",
        f"--input={tmp_path / 'b.png'}",
        "--output=out",
        "--format=webp",
    )
    assert planned_jobs(values) == [
        Job(tmp_path / "a.jpg", Path("out/a.webp")),
        Job(tmp_path / "b.png", Path("out/b.webp")),
    ]
    with pytest.raises(flags.Error, match="format"):
        _values("--format=heic")


def test_jobs_that_make_no_sense_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="--input and --output are needed"):
        planned_jobs(_values())
    with pytest.raises(UsageError, match="nowhere"):
        planned_jobs(_values("--input=nowhere", "--output=out"))


def test_what_becomes_of_the_jobs_is_told_and_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with told(_values(f"--report={tmp_path / 'report.jsonl'}")) as listener:
        listener.done(Entry("a.png", "b.png", "failed", error="a.png: why"))
    assert "a.png: why" in capsys.readouterr().err
    assert "a.png: why" in (tmp_path / "report.jsonl").read_text()
    with pytest.raises(UsageError, match="--report="), told(_values(f"--report={tmp_path}")):
        pass
