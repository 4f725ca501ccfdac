"""One tiny real run, from the command line to a cartoon, and what can go wrong around it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from wbc_tf import cartoonize
from wbc_tf import train as train_command
from wbc_tf.files.pictures import read_rgb, write_image

# The smallest networks of all methods, with both phases and a moving average. What every method's
# runs have in common is in tests/methods/test_every_run.py.
TINY = (
    "--method=cartoongan",
    "--patch_size=32",
    "--channels=4",
    "--blocks=1",
    "--discriminator_channels=4",
    "--image_pool=2",
    "--vgg_layer=block1_conv2",
    "--vgg_weights=random",
    "--vgg_size=0",
    "--batch_size=2",
    "--crop_sides=0.4,0.9",
    "--ema_momentum=0.9",
    "--pretrain_steps=3",
    "--steps=4",
    "--checkpoint_every=2",
    "--deterministic",
)
# Deterministic operations are a switch for the whole process, in which other tests run too.
HERE = (*TINY, "--nodeterministic")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for kind in ("photo", "cartoon"):
        (root / kind).mkdir()
        for i in range(3):
            coarse = random.integers(0, 256, (6, 9, 3), dtype=np.uint8)
            picture = coarse.repeat(10, axis=0).repeat(10, axis=1)
            write_image(root / kind / f"{i}.png", picture)
    return [f"--photo_dir={root / 'photo'}", f"--cartoon_dir={root / 'cartoon'}"]


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


def train(root, *arguments, timeout=900):
    """Runs train.py to its end; a hang at the interpreter's end is a failure like any other."""
    process = command(root, "train.py", *arguments)
    try:
        out, err = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return process.returncode, out, err


def running_past_step_4(root, flags, workdir):
    """A run that would go on for long, with the checkpoint of step 4 behind it."""
    process = command(root, "train.py", *flags, f"--workdir={workdir}", "--steps=100000")
    deadline = time.monotonic() + 900
    while not list(workdir.glob("checkpoints/step-4.index")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def losses(workdir):
    return [json.loads(line) for line in (workdir / "losses.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def unbroken(root, folders, tmp_path_factory):
    """The folder of a run without a break."""
    workdir = tmp_path_factory.mktemp("runs") / "unbroken"
    status, out, err = train(root, *TINY, *folders, f"--workdir={workdir}")
    assert status == 0, err
    assert "Done" in out
    return workdir


def test_a_run_leaves_what_it_promises(unbroken):
    records = losses(unbroken)
    assert [record["phase"] for record in records] == ["pretrain"] * 3 + ["adversarial"] * 4
    assert all(np.isfinite(value) for r in records for value in r.values() if value != r["phase"])
    document = json.loads((unbroken / "config.json").read_text())
    assert document["method"] == "cartoongan"
    assert document["config"]["patch_size"] == 32
    for path in ("model/1/saved_model.pb", "samples/step-0000007.png", "checkpoints/step-7.index"):
        assert (unbroken / path).is_file()


def test_its_model_cartoonizes(call, unbroken, tmp_path):
    photo, cartoon = tmp_path / "photo.png", tmp_path / "cartoon.png"
    write_image(photo, np.random.default_rng(1).integers(0, 256, (33, 50, 3), dtype=np.uint8))
    model = f"--model={unbroken / 'model'}"
    outcome = call(cartoonize, model, f"--input={photo}", f"--output={cartoon}")
    assert outcome.status == 0, outcome.err
    assert outcome.out.splitlines()[-1] == "1 written, 0 skipped, 0 failed"
    assert read_rgb(cartoon).shape == (33, 50, 3)


def test_killed_and_resumed_goes_on_as_if_nothing_had_been(root, folders, unbroken, tmp_path):
    workdir = tmp_path / "run"
    process = running_past_step_4(root, [*TINY, *folders], workdir)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    # Whatever step it was killed at, go back to the checkpoint that the unbroken run has as well.
    for later in workdir.glob("checkpoints/step-*"):
        if not later.name.startswith("step-4."):
            later.unlink()

    status, _, err = train(root, *TINY, *folders, f"--workdir={workdir}")
    assert status == 0, err
    # Not a bit may differ: both runs are deterministic.
    assert losses(workdir) == losses(unbroken)
    assert [record["step"] for record in losses(workdir)] == list(range(1, 8))


def test_sigterm_saves_and_says_that_the_run_is_not_done(root, folders, call, tmp_path):
    workdir = tmp_path / "run"
    process = running_past_step_4(root, [*TINY, *folders], workdir)
    second = call(train_command, *HERE, *folders, f"--workdir={workdir}", "--steps=100000")
    assert second.status == 2
    assert f"another training runs in this folder (process {process.pid} on " in second.err
    process.terminate()
    out, err = process.communicate(timeout=300)
    assert process.returncode == 143, err
    assert "Stopped and saved" in out
    done = losses(workdir)[-1]["step"]
    assert (workdir / "checkpoints" / f"step-{done}.index").is_file()
    assert not (workdir / "model").exists()


@pytest.mark.parametrize(
    ("argument", "expected"),
    [("--patch_size=36", "--patch_size was 32, now 36"), ("--noresume", "already holds a run")],
)
def test_a_run_folder_is_one_run(call, folders, unbroken, argument, expected):
    outcome = call(train_command, *HERE, *folders, f"--workdir={unbroken}", argument)
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
        (["--batch_size=4"], "3 photo pictures, but at least 4 are needed"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    call, folders, tmp_path, arguments, expected
):
    workdir = tmp_path / "run"
    outcome = call(train_command, *HERE, *folders, f"--workdir={workdir}", *arguments)
    assert outcome.status == 2, outcome.err
    assert expected in outcome.err
    assert not workdir.exists()


def test_a_damaged_run_folder_and_a_file_in_its_place_are_named(call, folders, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"method": "whi')
    (tmp_path / "file").touch()
    everything = [*HERE, *folders]
    outcome = call(train_command, *everything, f"--workdir={tmp_path / 'run'}")
    assert outcome.status == 2
    assert "config.json: this run cannot be set up" in outcome.err
    outcome = call(train_command, *everything, f"--workdir={tmp_path / 'file'}")
    assert (outcome.status, str(tmp_path / "file") in outcome.err) == (2, True), outcome.err


def test_a_finished_run_is_found_finished_wherever_its_data_lies(call, folders, unbroken, tmp_path):
    moved = []
    for folder in folders:
        flag, place = folder.split("=")
        (tmp_path / flag.strip("-")).symlink_to(place)
        moved.append(f"{flag}={tmp_path / flag.strip('-')}")
    outcome = call(train_command, *HERE, *moved, f"--workdir={unbroken}")
    assert outcome.status == 0, outcome.err
    assert [path.name for path in (unbroken / "model").iterdir()] == ["1"], "no second export"
    assert len(losses(unbroken)) == 7


def test_dry_run_shows_the_config_and_writes_nothing(call, folders, tmp_path):
    outcome = call(train_command, *TINY, *folders, "--dry_run", f"--workdir={tmp_path / 'run'}")
    assert outcome.status == 0, outcome.err
    assert json.loads(outcome.out)["config"]["ema_momentum"] == 0.9
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
