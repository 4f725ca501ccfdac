from __future__ import annotations

from pathlib import Path

import wbc_tf
from wbc_tf.version import __version__


def test_the_package_is_built_with_the_version_that_the_program_states(root: Path) -> None:
    assert f'version="{__version__}"' in (root / "setup.py").read_text("utf-8")
    assert wbc_tf.__version__ == __version__
