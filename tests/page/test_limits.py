from __future__ import annotations

import pytest

from wbc_tf.page.limits import Limits


def test_megapixels_become_pixels() -> None:
    assert Limits(max_megapixels=0.25).max_pixels == 250_000


def test_a_limit_of_nothing_names_its_flag() -> None:
    with pytest.raises(ValueError, match="--max_queue=0: it must be above 0"):
        Limits(max_queue=0)
