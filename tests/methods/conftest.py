"""What the methods' small runs train on, and what such runs leave behind."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.methods.small import SPECS, full_settings
from wbc_tf.files.pictures import write_image


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Photos and cartoons: noisy and blocky pictures, of several sizes."""
    root = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for name, block in (("photo", 4), ("cartoon", 16)):
        (root / name).mkdir()
        for i in range(5):
            cells = random.integers(0, 256, [6 + i, 5, 3], dtype=np.uint8)
            picture = cells.repeat(64 // block, axis=0).repeat(64 // block, axis=1)
            write_image(root / name / f"{i}.png", picture)
    return root


@pytest.fixture(scope="session")
def fresh_runs(folders: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every method's ``NAME/unbroken``, ``NAME/resumed`` and ``NAME/two``; see `fresh_process`.

    Each method has a process of its own: TensorFlow mixes up the collectives of one process's
    second and third strategy of two devices.

    Their pictures and VGG are gone since: nobody who only wants the generator may miss them. Test
    processes side by side share one folder.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "fresh"
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            for name in SPECS:
                _train_in_a_fresh_process(name, folder, folders, root)
            (folder / "done").touch()
    return folder


def _train_in_a_fresh_process(name: str, folder: Path, folders: Path, root: Path) -> None:
    pictures = shutil.copytree(folders, folder / "pictures", dirs_exist_ok=True)
    # The same bits have to come from all cores as from one.
    environment = {k: v for k, v in os.environ.items() if k != "TF_NUM_INTRAOP_THREADS"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.methods.fresh_process", name, str(folder / name)],
        input=json.dumps(full_settings(name, pictures)),
        capture_output=True,
        text=True,
        cwd=root,
        env={**environment, "CUDA_VISIBLE_DEVICES": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    shutil.rmtree(pictures)
    config = folder / name / "unbroken" / "config.json"
    config.write_text(config.read_text().replace('"random"', '"gone.h5"'))
