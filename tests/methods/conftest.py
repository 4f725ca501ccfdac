"""Pictures that the methods' small runs train on."""

from __future__ import annotations

import numpy as np
import pytest

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
