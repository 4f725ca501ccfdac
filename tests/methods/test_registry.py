from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wbc_tf.methods.registry import METHODS, method_spec


def test_every_method_stands_under_its_own_name() -> None:
    assert {name: spec.name for name, spec in METHODS.items()} == {name: name for name in METHODS}
    assert method_spec("white_box") is METHODS["white_box"]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no method 'nobody'; there is .*white_box"):
        method_spec("nobody")


def test_names_recipes_and_flags_are_there_without_tensorflow(root: Path) -> None:
    code = (
        "import sys\nfrom wbc_tf.methods.registry import METHODS\n"
        "assert all(spec.config.presets() for spec in METHODS.values())\n"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
