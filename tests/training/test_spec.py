from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wbc_tf.training.config import TrainingConfig
from wbc_tf.training.spec import package_spec


def test_a_package_with_the_usual_files_is_a_method_and_loaded_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "usual_files"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "method.py").write_text(
        "class Sketch:\n    def __init__(self, c): self.config = c\n"
    )
    (package / "exported.py").write_text("EXPORTED = 'exported'\n")
    (package / "convert.py").write_text("CONVERTER = 'converter'\n")
    monkeypatch.syspath_prepend(tmp_path)
    spec = package_spec("usual_files", title="Sketches", config=TrainingConfig, method="Sketch")
    assert (spec.name, spec.title, spec.config) == ("usual_files", "Sketches", TrainingConfig)
    assert not [name for name in sys.modules if name.startswith("usual_files")]
    assert spec.build("a config").config == "a config"
    assert spec.exported() == "exported"
    assert spec.converter is not None
    assert spec.converter() == "converter"
