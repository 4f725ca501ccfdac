from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from absl import flags, logging

from wbc_tf.cli.command_line import FAILED, OK, USAGE, UsageError, new_flags, on_topic, run_command
from wbc_tf.version import __version__

USAGE_TEXT = "Count things.\n\n  count --number=3"


@pytest.fixture
def values() -> flags.FlagValues:
    values = new_flags()
    flags.DEFINE_integer("number", 3, "How many.", lower_bound=0, flag_values=values)
    flags.DEFINE_enum("kind", "big", ["big", "small"], "Which ones.", flag_values=values)
    flags.DEFINE_multi_string("name", [], "Whose; repeatable.", flag_values=values)
    flags.DEFINE_boolean("fast", False, "Hurry.", flag_values=values)
    return values


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    # run_command speaks to the process's environment.
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3"))


def _run(values: flags.FlagValues, *argv: str, main: Callable | None = None) -> int:
    return run_command(
        main or (lambda values: OK), values, usage=USAGE_TEXT, argv=["/some/where/count.py", *argv]
    )


def test_main_gets_the_flags_and_its_answer_is_the_exit_status(values: flags.FlagValues) -> None:
    seen = []

    def main(values: flags.FlagValues) -> int:
        seen.append((values.number, values.kind, values.name, values.fast))
        return FAILED

    assert _run(values, "--number=5", "--name=a", "--name=b", "--nofast", main=main) == FAILED
    assert seen == [(5, "big", ["a", "b"], False)]


def test_arguments_that_are_no_flags_go_where_the_command_wants_them(
    values: flags.FlagValues,
) -> None:
    seen = []

    def main(values: flags.FlagValues) -> int:
        seen.append((values.name, values.number))
        return OK

    argv = ["count", "b=1", "--number=5", "c", "--name=a", "--", "--d"]
    assert run_command(main, values, usage="", argv=argv, arguments="name") == OK
    assert seen == [(["a", "b=1", "c", "--d"], 5)]


def test_the_statuses_are_what_scripts_expect() -> None:
    assert (OK, FAILED, USAGE) == (0, 1, 2)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_shows_usage_and_every_flag_and_calls_nothing(
    values: flags.FlagValues, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    def main(values: flags.FlagValues) -> int:
        raise AssertionError("help was asked for")

    assert _run(values, flag, main=main) == OK
    out = capsys.readouterr().out
    assert out.startswith(USAGE_TEXT)
    lines = out.splitlines()
    assert "  --number=int (default: 3)" in lines
    assert "  --kind=big|small (default: big)" in lines
    assert "      Which ones." in lines, "without absl's own remarks"
    assert "      Whose; repeatable." in lines
    assert "  --fast" in lines
    assert max(map(len, lines)) <= 100


def test_help_is_grouped_by_topic_in_the_order_of_the_program(
    capsys: pytest.CaptureFixture[str],
) -> None:
    values = new_flags()
    flags.DEFINE_string("zoo", None, "Which one.", **on_topic("Animals", values))
    flags.DEFINE_string("bread", None, "Which one.", **on_topic("Food", values))
    flags.DEFINE_string("ape", None, "Which one.", **on_topic("Animals", values))
    assert _run(values, "--help") == OK
    lines = capsys.readouterr().out.splitlines()
    shown = [line for line in lines if line.endswith(":") or line.startswith("  --")]
    assert [line.split("=")[0] for line in shown[:6]] == [
        *("Animals:", "  --zoo", "  --ape", "Food:", "  --bread", "Every command:")
    ]


def test_help_shows_no_file_of_the_program(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wbc_tf.compare", "--help"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "\nFlags:\n  --photos" in done.stdout
    assert "compare.py" not in done.stdout


def test_the_version(values: flags.FlagValues, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(values, "--version") == OK
    assert capsys.readouterr().out == f"wbc_tf {__version__}\n"


def test_help_may_be_cut_off_by_its_reader(root: Path) -> None:
    done = subprocess.run(
        "set -o pipefail; python cartoonize.py --help | true",
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
        shell=True,
        executable="/bin/bash",
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_numbers_that_are_not_finite_are_refused_with_their_flag(
    values: flags.FlagValues, capsys: pytest.CaptureFixture[str], number: str
) -> None:
    flags.DEFINE_float("share", 0.5, "How much.", lower_bound=0.0, flag_values=values)
    assert _run(values, f"--share={number}") == USAGE
    assert "--share=" in capsys.readouterr().err.replace("flag ", "")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--nubmer=5", "nubmer"),
        ("--number=many", "many"),
        ("--number=-1", "-1"),
        ("--kind=green", "green"),
        ("photo.jpg", "not understood: photo.jpg"),
        ("--flagfile=/no/such/file.cfg", "/no/such/file.cfg"),
    ],
)
def test_flags_that_make_no_sense_are_one_line_and_status_2(
    values: flags.FlagValues, capsys: pytest.CaptureFixture[str], argument: str, message: str
) -> None:
    def main(values: flags.FlagValues) -> int:
        raise AssertionError("there was nothing sensible to do")

    assert _run(values, argument, main=main) == USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("count.py: ")
    assert message in captured.err
    # What the flag takes is said already.
    assert captured.err.endswith("Try --help.\n") == (argument == "--nubmer=5")


def test_a_usage_error_from_inside_looks_the_same(
    values: flags.FlagValues, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(values: flags.FlagValues) -> int:
        raise UsageError("--number and --kind exclude each other")

    assert _run(values, main=main) == USAGE
    assert capsys.readouterr().err == "count.py: --number and --kind exclude each other\n"


def test_our_own_bugs_are_not_dressed_up_as_usage(values: flags.FlagValues) -> None:
    def main(values: flags.FlagValues) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _run(values, main=main)


def test_flags_come_from_a_file_too_and_the_command_line_wins(
    values: flags.FlagValues, tmp_path: Path
) -> None:
    (tmp_path / "recipe.cfg").write_text("# a recipe\n--number=7\n--kind=small\n")
    seen = []
    _run(
        values,
        f"--flagfile={tmp_path / 'recipe.cfg'}",
        "--kind=big",
        main=lambda values: seen.append((values.number, values.kind)) or OK,
    )
    assert seen == [(7, "big")]


def test_every_command_has_flags_of_its_own(values: flags.FlagValues) -> None:
    assert "number" not in new_flags()
    assert "number" not in flags.FLAGS


def test_tensorflow_is_quiet_unless_asked(
    values: flags.FlagValues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    _run(values, "--verbose")
    assert "TF_CPP_MIN_LOG_LEVEL" not in os.environ
    assert logging.get_verbosity() == logging.INFO
    _run(values, "--noverbose")
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"
    assert logging.get_verbosity() == logging.WARNING
