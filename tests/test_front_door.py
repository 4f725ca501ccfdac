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


def test_onednn_is_on_in_a_fresh_process(root: Path) -> None:
    # TensorFlow's own words at its start, where it obeys the variable.
    assert "oneDNN custom operations are on" in _say("import tests.conftest, tensorflow", root)


@pytest.mark.parametrize(
    ("module", "variables", "expected"),
    [
        ("wbc_tf", {}, "1"),
        ("wbc_tf", {"TF_ENABLE_ONEDNN_OPTS": "0"}, "0"),
        ("benchmarks", {}, "1"),
    ],
)
def test_it_is_asked_for_before_tensorflow_is_imported_unless_the_user_has_it_off(
    root: Path, module: str, variables: dict[str, str], expected: str
) -> None:
    code = f"import os, sys, {module}\nassert 'tensorflow' not in sys.modules\n"
    _say(f"{code}assert os.environ['TF_ENABLE_ONEDNN_OPTS'] == {expected!r}", root, **variables)
