from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from wbc_tf import cartoonize, cluster
from wbc_tf.distributed import dispatch


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photos in a folder and in a folder inside it; one is broken."""
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    random = np.random.default_rng(0)
    for name in ("a.png", "b.jpg", "deep/c.webp"):
        rgb = random.integers(0, 256, (20, 31, 3), dtype=np.uint8)
        Image.fromarray(rgb).save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "bad.jpg").write_bytes(b"no picture")
    (tmp_path / "photos" / "notes.txt").touch()
    return tmp_path / "photos"


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def report(path: Path) -> list[dict]:
    entries = [json.loads(line) for line in path.read_text("ascii").splitlines()]
    return sorted(({**e, "seconds": 0} for e in entries), key=lambda entry: entry["source"])


def test_a_cluster_does_what_one_machine_does(
    call: Callable,
    ray_address: str,
    tiny_model: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatch, "PATIENCE", 3600.0)  # a slow machine would be told to wait
    outcomes = []
    for command, flags in ((cartoonize, []), (cluster, [f"--address={ray_address}"])):
        flags += [f"--input={photos}", f"--output={tmp_path / 'out'}", "--recursive"]
        flags += [f"--model={tiny_model}", "--quality=80", f"--report={tmp_path / 'report.jsonl'}"]
        outcome = call(command, *flags)
        outcomes.append(
            (
                (outcome.status, outcome.out, outcome.err),
                report(tmp_path / "report.jsonl"),
                contents(tmp_path / "out"),
            )
        )
        if command is cartoonize:
            (tmp_path / "out").rename(tmp_path / "one")
    assert outcomes[1] == outcomes[0]
    assert outcomes[1][0][:2] == (1, "3 written, 0 skipped, 1 failed\n")


def test_a_driver_that_was_killed_is_called_again(
    ray_address: str, tiny_model: Path, tmp_path: Path, root: Path, call: Callable
) -> None:
    (tmp_path / "in").mkdir()
    random = np.random.default_rng(0)
    for number in range(40):
        rgb = random.integers(0, 256, (200, 300, 3), dtype=np.uint8)
        Image.fromarray(rgb).save(tmp_path / "in" / f"{number}.png")
    flags = [f"--input={tmp_path / 'in'}", f"--output={tmp_path / 'out'}", f"--model={tiny_model}"]
    flags += [f"--address={ray_address}"]
    command = [sys.executable, "-m", "wbc_tf.cluster", *flags]
    driver = subprocess.Popen(command, cwd=root)
    try:
        while driver.poll() is None and not list((tmp_path / "out").glob("*.png")):
            time.sleep(0.01)
    finally:
        driver.kill()
        driver.wait()
    outcome = call(cluster, *flags)
    assert outcome.status == 0, outcome.err
    written, _, skipped, *_ = outcome.out.split()
    assert int(written) + int(skipped) == 40
    assert sorted(os.listdir(tmp_path / "out")) == sorted(os.listdir(tmp_path / "in"))


def test_the_cluster_file_of_the_documentation_is_one_that_ray_takes(root: Path) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    text = (root / "docs" / "cluster.md").read_text("utf-8")
    (shown,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    config = prepare_config(yaml.safe_load(shown))  # with Ray's defaults
    types = config["available_node_types"]
    assert config["head_node_type"] in types
    assert config["max_workers"] == sum(each.get("max_workers", 0) for each in types.values())
    for each in types.values():
        each.setdefault("resources", {})  # Ray asks the cloud what a machine of this type has
    validate_config(config)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--input=photos", "--output=out", "--address=127.0.0.1:1"], "no Ray cluster there"),
        (["--input=photos", "--output=out", "--model=nobody"], "no model 'nobody'"),
        (["--input=photos", "--output=out", "--workers=99"], "which is enough for 2"),
    ],
)
def test_what_makes_no_sense_is_refused(
    call: Callable,
    ray_address: str,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(photos.parent)
    if not any(flag.startswith("--address") for flag in flags):
        flags = [*flags, f"--address={ray_address}"]
    outcome = call(cluster, *flags)
    assert (outcome.status, message in outcome.err) == (2, True), outcome.err
    assert not Path("out").exists()
