"""Fixtures shared by all tests."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import wbc_tf  # noqa: F401  # before TensorFlow, see its docstring
from tests.browser import chromium as chromium  # a fixture for all tests that look at a page
from tests.fresh_runs import folders as folders
from tests.fresh_runs import fresh_runs as fresh_runs
from tests.ray_cluster import ray_address as ray_address
from tests.ray_cluster import s3 as s3
from tests.side_by_side import Units, made_once
from wbc_tf.inference import progress

# Before anyone imports TensorFlow: its start-up chatter would bury a failure's message.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Processes that test side by side would only wait for one another's threads. By hand, one process
# has the whole machine.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Units:
    """Which of the test processes side by side runs what."""
    return Units(config, log)


ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference figures and data, which stand beside the checkout and are never part of it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        reason = "the reference figures (../shared) are not on this machine"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; under CI they must be")
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def reference(shared: Path) -> Path:
    """What the authors' own programs made: their checkpoint, photos and cartoons, one step."""
    return shared / "reference" / "whitebox"


@dataclass(frozen=True)
class Outcome:
    """What became of a command."""

    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def no_lines_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine would get a line every 30 seconds, where a test expects its own lines only."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", math.inf)


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Runs a command's console entry point in this process: ``call(module, "--flag=1")``."""

    def run(module: ModuleType, *arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            module.run()
        captured = capsys.readouterr()
        return Outcome(exit_.value.code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def authors_model(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory with the authors' weights, converted by the command, once."""
    from wbc_tf import convert
    from wbc_tf.cli.command_line import OK, run_command

    def make(directory: Path) -> None:
        checkpoint = reference / "saved_models" / "model-33999"
        argv = ["convert", f"--checkpoint={checkpoint}", f"--output={directory}"]
        assert run_command(convert.main, convert.define_flags(), usage="", argv=argv) == OK

    return made_once(tmp_path_factory, "authors", make)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory like any other, small and untrained: for all but the picture's looks."""
    import tensorflow as tf

    from wbc_tf.methods.white_box.exported import EXPORTED
    from wbc_tf.serving.saved_model import save_generator

    def make(directory: Path) -> None:
        tf.random.set_seed(0)
        generator = EXPORTED.build(channels=4, blocks=1)
        metadata = {"licence": "none", "origin": "untrained"}
        save_generator(EXPORTED, generator, directory, metadata=metadata)

    return made_once(tmp_path_factory, "tiny", make)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder as training leaves it, after no steps at all; its pictures are gone since."""
    import json
    import shutil

    from wbc_tf.files.pictures import write_image
    from wbc_tf.methods.white_box import SPEC
    from wbc_tf.serving.sample_photo import sample_photo
    from wbc_tf.training.checkpoints import RunCheckpoints

    root = tmp_path_factory.mktemp("run")
    for kind in ("photo", "cartoon"):
        (root / kind).mkdir()
        write_image(root / kind / "a.png", sample_photo(64, 64))
    config = SPEC.config(
        photo_dir=str(root / "photo"),
        cartoon_dir=str(root / "cartoon"),
        patch_size=32,
        batch_size=1,
        vgg="vgg16",
        vgg_layer="block1_conv2",
        vgg_weights="random",
        seed=3,
    )
    run = root / "mine"
    run.mkdir()
    record = {"method": "white_box", "config": json.loads(config.to_json()), "commit": "0123abc"}
    (run / "config.json").write_text(json.dumps(record))
    RunCheckpoints(run / "checkpoints", SPEC.build(config).state()).save(12)
    for kind in ("photo", "cartoon"):
        shutil.rmtree(root / kind)
    return run


@pytest.fixture(scope="session")
def exported(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as the export command writes it for a server: its version folder."""
    from wbc_tf import export
    from wbc_tf.cli.command_line import OK, run_command

    def make(output: Path) -> None:
        argv = ["export", f"--model={tiny_model}", f"--output={output}", "--name=cartoonist"]
        argv += ["--short_side=96"]  # the check at export takes a photo above it: this one is small
        assert run_command(export.main, export.define_flags(), usage="", argv=argv) == OK

    return made_once(tmp_path_factory, "exported", make) / "cartoonist" / "1"
