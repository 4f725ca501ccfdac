"""One tiny real run, from the command line to a cartoon, and what can go wrong around it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.methods.small import full_settings
from wbc_tf import cartoonize
from wbc_tf import train as train_command
from wbc_tf.files.pictures import read_rgb, write_image

# What every method's runs have in common is in tests/methods/test_every_run.py.


@pytest.fixture(scope="module")
def flags(folders):
    """A small run of the smallest networks, with both phases and a moving average."""
    settings = {
        "method": "cartoongan",
        "checkpoint_every": 4,
        **full_settings("cartoongan", folders),
    }
    return [f"--{name}={value}" for name, value in settings.items()]


def command(root, *arguments):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    # The same bits have to come from all cores as from one.
    environment.pop("TF_NUM_INTRAOP_THREADS", None)
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def steps_saved(workdir):
    return [int(path.stem.partition("-")[2]) for path in workdir.glob("checkpoints/step-*.index")]


def running_past(step, root, flags, workdir):
    """A run that would go on for long, with a checkpoint of that step or a later one behind it."""
    endless = [f"--workdir={workdir}", "--steps=100000", "--deterministic"]
    process = command(root, "train.py", *flags, *endless)
    deadline = time.monotonic() + 900
    while max(steps_saved(workdir), default=0) < step:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def losses(workdir):
    return [json.loads(line) for line in (workdir / "losses.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def unbroken(fresh_runs, tmp_path_factory):
    """The folder of a run that the command made without a break."""
    made, workdir = fresh_runs("cartoongan") / "unbroken", tmp_path_factory.mktemp("runs") / "run"
    shutil.copytree(made, workdir)
    config = workdir / "config.json"
    config.write_text(config.read_text().replace("gone.h5", "random"))
    return workdir


def test_a_run_leaves_what_it_promises(unbroken):
    records = losses(unbroken)
    assert [record["phase"] for record in records] == ["pretrain"] * 2 + ["adversarial"] * 4
    assert all(np.isfinite(value) for r in records for value in r.values() if value != r["phase"])
    document = json.loads((unbroken / "config.json").read_text())
    assert document["method"] == "cartoongan"
    assert document["config"]["patch_size"] == 32
    for path in ("model/1/saved_model.pb", "samples/step-0000006.png", "checkpoints/step-6.index"):
        assert (unbroken / path).is_file()


def test_its_model_cartoonizes(call, unbroken, tmp_path):
    photo, cartoon = tmp_path / "photo.png", tmp_path / "cartoon.png"
    write_image(photo, np.random.default_rng(1).integers(0, 256, (33, 50, 3), dtype=np.uint8))
    model = f"--model={unbroken / 'model'}"
    outcome = call(cartoonize, model, f"--input={photo}", f"--output={cartoon}")
    assert outcome.status == 0, outcome.err
    assert outcome.out.splitlines()[-1] == "1 written, 0 skipped, 0 failed"
    assert read_rgb(cartoon).shape == (33, 50, 3)


def test_killed_resumed_and_terminated_it_is_as_if_nothing_had_been(
    root, flags, unbroken, call, tmp_path
):
    workdir = tmp_path / "run"
    killed = running_past(4, root, flags, workdir)
    killed.kill()
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    # Whatever step it was killed at, go back to the one that the unbroken run went through too.
    for later in workdir.glob("checkpoints/step-*"):
        if not later.name.startswith("step-4."):
            later.unlink()

    resumed = running_past(8, root, flags, workdir)
    second = call(train_command, *flags, f"--workdir={workdir}", "--steps=100000")
    assert second.status == 2
    assert f"another training runs in this folder (process {resumed.pid} on " in second.err
    resumed.terminate()
    try:
        # A hang at the interpreter's end is a failure like any other.
        out, err = resumed.communicate(timeout=300)
    finally:
        resumed.kill()
    assert resumed.returncode == 143, err
    assert "Stopped and saved" in out
    done = losses(workdir)[-1]["step"]
    assert [record["step"] for record in losses(workdir)] == list(range(1, done + 1))
    assert losses(workdir)[:6] == losses(unbroken)
    assert (workdir / "checkpoints" / f"step-{done}.index").is_file()
    assert not (workdir / "model").exists()


@pytest.mark.parametrize(
    ("argument", "expected"),
    [("--patch_size=36", "--patch_size was 32, now 36"), ("--noresume", "already holds a run")],
)
def test_a_run_folder_is_one_run(call, flags, unbroken, argument, expected):
    outcome = call(train_command, *flags, f"--workdir={unbroken}", argument)
    assert outcome.status == 2
    assert expected in outcome.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--photo_dir=nowhere"], "--photo_dir=nowhere: there is no such folder"),
        (["--learning_rate=nan"], "--learning_rate=nan: not a finite number"),
        (["--pretrain_steps=0"], "from a random generator"),
        (["--learning_rate=-1"], "learning_rate is -1.0, and must be greater than 0"),
        (["--preset=best"], "no preset 'best'; there is cartoongan"),
        (["--vgg_weights=gone.h5"], "gone.h5"),
        (["--method=magic"], "no method 'magic'"),
        (["--learning_speed=1"], "Unknown command line flag 'learning_speed'"),
        (["--photo_dir="], "photo_dir is empty"),
        (["--vgg_layer=foo"], "vgg_layer is 'foo'"),
        (["--seed=5000000000"], "seed is 5000000000"),
        (["--initial_model=nowhere"], "no model 'nowhere'"),
        (["--batch_size=6"], "5 photo pictures, but at least 6 are needed"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    call, flags, tmp_path, arguments, expected
):
    workdir = tmp_path / "run"
    outcome = call(train_command, *flags, f"--workdir={workdir}", *arguments)
    assert outcome.status == 2, outcome.err
    assert expected in outcome.err
    assert not workdir.exists()


def test_a_damaged_run_folder_and_a_file_in_its_place_are_named(call, flags, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"method": "whi')
    (tmp_path / "file").touch()
    outcome = call(train_command, *flags, f"--workdir={tmp_path / 'run'}")
    assert outcome.status == 2
    assert "config.json: this run cannot be set up" in outcome.err
    outcome = call(train_command, *flags, f"--workdir={tmp_path / 'file'}")
    assert (outcome.status, str(tmp_path / "file") in outcome.err) == (2, True), outcome.err


def test_a_finished_run_is_found_finished_wherever_its_data_lies(
    call, flags, folders, unbroken, tmp_path
):
    moved = []
    for kind in ("photo", "cartoon"):
        (tmp_path / kind).symlink_to(folders / kind)
        moved.append(f"--{kind}_dir={tmp_path / kind}")
    outcome = call(train_command, *flags, *moved, f"--workdir={unbroken}")
    assert outcome.status == 0, outcome.err
    assert [path.name for path in (unbroken / "model").iterdir()] == ["1"], "no second export"
    assert len(losses(unbroken)) == 6


def test_dry_run_shows_the_config_and_writes_nothing(call, flags, tmp_path):
    outcome = call(train_command, *flags, "--dry_run", f"--workdir={tmp_path / 'run'}")
    assert outcome.status == 0, outcome.err
    assert json.loads(outcome.out)["config"]["ema_momentum"] == 0.8
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "name",
    [
        "white_box.cfg",
        "white_box_paper.cfg",
        "white_box_default.cfg",
        "smoke.cfg",
    ],
)
def test_each_flagfile_resolves(call, root, name):
    outcome = call(train_command, f"--flagfile={root / 'configs' / name}", "--dry_run")
    assert outcome.status == 0, outcome.err
    assert json.loads(outcome.out)["method"] == "white_box"


def test_the_presets_differ_where_paper_and_code_do(call):
    resolved = {}
    for preset in ("white_box", "white_box_paper"):
        outcome = call(train_command, f"--preset={preset}", "--dry_run")
        resolved[preset] = json.loads(outcome.out)["config"]
    assert resolved["white_box"]["adversarial"] == "lsgan"
    assert resolved["white_box_paper"]["adversarial"] == "log"
    assert resolved["white_box_paper"]["structure"] == "adaptive"


def test_help_fits_people(call):
    outcome = call(train_command, "--help")
    assert outcome.status == 0
    assert "--texture_weight" in outcome.out
