from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from wbc_tf import convert
from wbc_tf.artefact.model_directory import find_model, read_metadata
from wbc_tf.artefact.weights import WeightsError
from wbc_tf.methods import registry
from wbc_tf.methods.white_box import SPEC
from wbc_tf.training.spec import ConversionError, Converter


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "either --checkpoint or --download"),
        (["--download", "--checkpoint=x"], "either --checkpoint or --download"),
        (["--checkpoint=x"], "--output is missing"),
        (["--download"], "--output is missing"),
        (["--method=magic", "--checkpoint=x", "--output=y"], "method"),
        (["--checkpoint=x", "--output=taken"], "taken is already there"),
        (["--checkpoint=x", "--output=file"], "file is already there"),
        (["--chekpoint=x", "--output=y"], "chekpoint"),
    ],
)
def test_calls_that_make_no_sense(
    call: Callable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").touch()
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    outcome = call(convert, *arguments)
    assert outcome.status == 2
    assert message in outcome.err
    assert sorted(os.listdir(tmp_path)) == ["file", "taken"]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Adds a method "sketch" whose weights are converted as told; its network is white_box's."""

    def add(load: Callable[[str], tf.keras.Model], **options: Any) -> None:
        converter = Converter(
            licence="for tests only",
            expects="a text file",
            load=load,
            metadata=lambda path: {"origin": f"the file {path}", "delta": 0.25},
            **options,
        )
        spec = dataclasses.replace(SPEC, name="sketch", converter=lambda: converter)
        monkeypatch.setitem(registry.METHODS, "sketch", spec)

    return add


def test_a_methods_converter_makes_the_model(
    call: Callable, register: Callable, tmp_path: Path
) -> None:
    fetched = []

    def download(base_url: str) -> str:
        fetched.append(base_url)
        return "fetched.txt"

    exported = SPEC.exported()
    register(
        lambda path: exported.build(channels=2, blocks=1), download=download, base_url="http://here"
    )
    arguments = ["--method=sketch", "--download", f"--output={tmp_path / 'm'}"]
    outcome = call(convert, *arguments)
    assert outcome.status == 0, outcome.err
    assert "converted from the file fetched.txt\nLicence: for tests only" in outcome.out
    assert fetched == ["http://here"]
    metadata = read_metadata(find_model(tmp_path / "m"))
    assert metadata["licence"] == "for tests only"
    assert metadata["delta"] == 0.25, "what published weights set goes before the method's default"


def test_where_nothing_can_be_fetched_the_checkpoint_is_asked_for(
    call: Callable, register: Callable, tmp_path: Path
) -> None:
    register(lambda path: pytest.fail("nothing is there to be loaded"))
    outcome = call(convert, "--method=sketch", "--download", f"--output={tmp_path / 'm'}")
    assert outcome.status == 2
    assert "give --checkpoint, a text file" in outcome.err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [ConversionError, WeightsError, PermissionError])
def test_weights_that_cannot_be_read_are_an_error_and_nothing_is_written(
    call: Callable, register: Callable, tmp_path: Path, error: type[Exception]
) -> None:
    def load(path: str) -> tf.keras.Model:
        raise error(f"{path}: torn")

    register(load)
    outcome = call(convert, "--method=sketch", "--checkpoint=x", f"--output={tmp_path / 'm'}")
    assert outcome.status == 1
    assert outcome.err == "x: torn\n"
    assert os.listdir(tmp_path) == []


def test_the_module_runs_and_helps_without_waiting_for_tensorflow(root: Path) -> None:
    code = (
        "import runpy, sys; sys.argv = ['convert', '--help']\n"
        "try: runpy.run_module('wbc_tf.convert', run_name='__main__')\n"
        "except SystemExit as exit_: assert exit_.code == 0\n"
        "assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True
    )
    assert "--download" in done.stdout
