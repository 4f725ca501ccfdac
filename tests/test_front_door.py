"""What ``import wbc_tf`` does to a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def _say(code: str, root: Path, **variables: str) -> str:
    environment = {n: v for n, v in os.environ.items() if n != "TF_ENABLE_ONEDNN_OPTS"}
    environment |= {"PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "0", **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    return done.stderr


@pytest.mark.parametrize(
    ("code", "variables", "on"),
    [
        # Each is imported before anything that imports TensorFlow.
        ("import tests.conftest, tensorflow", {}, True),
        ("import benchmarks, tensorflow", {}, True),
        ("import wbc_tf, tensorflow", {"TF_ENABLE_ONEDNN_OPTS": "0"}, False),
    ],
)
def test_onednn_is_on_in_a_fresh_process_unless_the_user_has_it_off(
    root: Path, code: str, variables: dict[str, str], on: bool
) -> None:
    # TensorFlow's own words at its start, where it obeys the variable.
    assert ("oneDNN custom operations are on" in _say(code, root, **variables)) == on


def test_the_front_door_does_not_wait_for_tensorflow(root: Path) -> None:
    _say("import sys, wbc_tf; assert 'tensorflow' not in sys.modules", root)
