"""What the small runs of all methods train on, and what they leave behind: fixtures for tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.side_by_side import made_once


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos and cartoons: noisy and blocky pictures, of several sizes."""
    import numpy as np

    from wbc_tf.files.pictures import write_image

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
def fresh_runs(folders: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives a method's folder with ``unbroken``, ``resumed`` and ``two``; see `train_small_runs`.

    Each method has a process of its own: TensorFlow mixes up the collectives of one process's
    second and third strategy of two devices.

    Their pictures and VGG are gone since: nobody who only wants the generator may miss them.
    """
    from tests.fresh import in_fresh_process
    from tests.methods.small import full_settings
    from tests.methods.small_runs import train_small_runs

    def runs(name: str) -> Path:
        def make(folder: Path) -> None:
            pictures = shutil.copytree(folders, folder / "pictures")
            # The same bits have to come from all cores as from one.
            environment = {"TF_NUM_INTRAOP_THREADS": None, "CUDA_VISIBLE_DEVICES": ""}
            fields = full_settings(name, pictures)
            in_fresh_process(train_small_runs, name, fields, folder, environment=environment)
            shutil.rmtree(pictures)
            config = folder / "unbroken" / "config.json"
            config.write_text(config.read_text().replace('"random"', '"gone.h5"'))

        return made_once(tmp_path_factory, f"fresh-{name}", make)

    return runs
