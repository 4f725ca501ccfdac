from __future__ import annotations

from types import SimpleNamespace

import pytest

from wbc_tf.cli.command_line import UsageError
from wbc_tf.cli.webcam import asks_for_webcam, show_webcam


def test_only_a_single_number_is_a_webcam() -> None:
    assert asks_for_webcam(SimpleNamespace(input=["0"]))
    assert not asks_for_webcam(SimpleNamespace(input=["0", "1"]))
    assert not asks_for_webcam(SimpleNamespace(input=["a.jpg"]))


def test_a_webcam_is_not_stored() -> None:
    with pytest.raises(UsageError, match="shown and not stored"):
        show_webcam(SimpleNamespace(input=["0"], output="clip.mp4"))
