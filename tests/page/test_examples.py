from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.page.stand_ins import stand_in
from wbc_tf.files.pictures import read_rgb
from wbc_tf.files.samples import write_samples
from wbc_tf.page.examples import draw_example


def test_the_first_example_is_shown_before_and_after(tmp_path: Path) -> None:
    file = write_samples(tmp_path)[0]
    photo = read_rgb(file).astype(int)
    before, after = (
        read_rgb(file).astype(int) for file in draw_example(stand_in(short_side=500), file)
    )
    assert before.shape == after.shape == photo.shape
    assert np.abs(before - photo).mean() < 3, "as it is, but for JPEG"
    assert np.abs(after - (photo + 127.5) / 2).mean() < 3, "what the model draws"
