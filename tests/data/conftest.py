from __future__ import annotations

import numpy as np
import pytest

from wbc_tf.files.pictures import write_image


@pytest.fixture
def folder(tmp_path):
    """Six lively pictures, one of them in a subfolder, each of a colour of its own."""
    random = np.random.default_rng(0)
    (tmp_path / "pictures" / "more").mkdir(parents=True)
    for i in range(6):
        picture = random.integers(0, 60, (50 + 7 * i, 90, 3), dtype=np.uint8)
        picture[..., i % 3] += np.uint8(60 + 20 * i)
        place = tmp_path / "pictures" / ("more" if i == 3 else ".") / f"{i}.png"
        write_image(place, picture)
    return tmp_path / "pictures"
