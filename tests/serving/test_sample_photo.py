from __future__ import annotations

import numpy as np
import pytest

from wbc_tf.serving.sample_photo import sample_photo


@pytest.mark.parametrize("size", [(1, 1), (97, 131), (960, 1280)])
def test_any_size(size: tuple[int, int]) -> None:
    photo = sample_photo(*size)
    assert photo.shape == (*size, 3)
    assert photo.dtype == np.uint8


def test_it_is_a_picture_in_rgb() -> None:
    photo = sample_photo(64, 64).astype(float)
    assert photo.std() > 40
    # The astronaut's suit is orange: on average there is more red in it than blue.
    assert photo[..., 0].mean() > photo[..., 2].mean() + 10
