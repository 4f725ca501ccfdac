"""docs/quickstart.ipynb runs from end to end, and its stored outputs are whole and small."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import nbclient
import nbformat
import pytest
from PIL import Image

#: Few steps, and small pictures.
SETTINGS = """
STEPS, SIDE, HEIGHT = 2, 32, 50
from skimage import data
for name in ("astronaut", "chelsea", "coffee", "rocket"):
    setattr(data, name, lambda picture=getattr(data, name)()[::4, ::4]: picture)
"""


@pytest.fixture(scope="module")
def notebook(root: Path) -> Path:
    return root / "docs" / "quickstart.ipynb"


def outputs(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def pictures(notebook: nbformat.NotebookNode) -> list[tuple[int, int]]:
    """Sizes of all pictures in the outputs."""
    return [
        Image.open(io.BytesIO(base64.b64decode(output.data["image/jpeg"]))).size
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/jpeg" in output.get("data", {})
    ]


def test_it_runs_from_end_to_end(
    notebook: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    read = nbformat.read(notebook, as_version=4)
    (settings,) = [cell for cell in read.cells if "parameters" in cell.metadata.get("tags", [])]
    settings.source = SETTINGS
    for cell in read.cells:  # one process is enough: TensorFlow takes seconds to import
        cell.source = re.sub(r"!{sys.executable} -m (\S+)", r"%run -m \1 --", cell.source)
    nbclient.execute(read, cwd=str(notebook.parent), timeout=None, startup_timeout=600)
    assert len(pictures(read)) == 6
    *_, trained, _, exported = [outputs(cell) for cell in read.cells if cell.cell_type == "code"]
    assert "model" in trained
    assert ".tflite: " in exported
    printed = "".join(outputs(cell) for cell in read.cells if cell.cell_type == "code")
    assert "Traceback" not in printed


def test_its_stored_outputs_are_whole_and_small(notebook: Path) -> None:
    assert notebook.stat().st_size < 1_000_000
    read = nbformat.read(notebook, as_version=4)
    counts = [cell.execution_count for cell in read.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "run in one go: make docs"
    assert len(pictures(read)) == 6
    kinds = {output.output_type for cell in read.cells for output in cell.get("outputs", [])}
    assert "error" not in kinds
