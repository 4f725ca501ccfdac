from __future__ import annotations

from pathlib import Path

import numpy as np
from skimage import data

from wbc_tf.files.pictures import read_rgb
from wbc_tf.files.samples import write_samples


def test_four_photos_people_first(tmp_path: Path) -> None:
    files = write_samples(tmp_path)
    assert [file.name for file in files] == ["astronaut.png", "cat.png", "coffee.png", "rocket.png"]
    np.testing.assert_array_equal(read_rgb(files[1]), data.chelsea())
