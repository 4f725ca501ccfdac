from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf import evaluate
from wbc_tf.files.pictures import write_image

Call = Callable[..., object]


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """The flags of two folders of pictures."""
    random = np.random.default_rng(0)
    for label in ("reference", "photos"):
        for i in range(3):
            path = tmp_path / label / f"{i}.png"
            path.parent.mkdir(exist_ok=True)
            write_image(path, random.integers(0, 256, [24 + i, 33, 3], dtype=np.uint8))
    return [f"--{label}={tmp_path / label}" for label in ("reference", "photos")]


def test_weights_that_cannot_be_had_are_a_line_each(
    arguments: list[str], tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(**_):
        raise Exception("URL fetch failure on https://example.org: None -- no route to host")

    monkeypatch.setattr(tf.keras.applications, "InceptionV3", offline)
    monkeypatch.setattr(tf.keras.applications, "VGG19", offline)
    outcome = call(evaluate, *arguments, f"--generated={tmp_path / 'photos'}")
    assert outcome.status == 1
    table = [row.split() for row in outcome.out.splitlines()]
    assert [row[0] for row in table if row[1:] == ["not", "measured"]] == [
        *("fid", "kid", "style", "content")
    ]
    assert len(table) == 1 + 6 + 4, "nothing but the table"
    told = outcome.err.splitlines()
    assert len(told) == 2
    assert told[0].startswith("fid, kid: not measured: the ImageNet weights of InceptionV3 could")
    assert told[1].startswith("style, content: not measured: the ImageNet weights of VGG19 could")
    for line, flag in zip(told, ("--weights=PATH", "--vgg_weights=PATH")):
        assert "no route to host" in line
        assert f"with {flag}" in line
        assert "docs/measuring.md" in line


def test_help_does_not_wait_for_tensorflow(root: Path) -> None:
    script = (
        "import sys\nfrom wbc_tf import evaluate\n"
        "sys.argv = ['evaluate', '--help']\n"
        "try:\n    evaluate.run()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--vgg_weights" in done.stdout


def test_a_folder_that_holds_no_run(arguments: list[str], tmp_path: Path, call: Call) -> None:
    outcome = call(evaluate, f"--workdir={tmp_path / 'none'}", *arguments, "--metrics=flatness")
    assert outcome.status == 2
    assert "no training run" in outcome.err


def test_a_request_that_makes_no_sense(call: Call) -> None:
    outcome = call(evaluate, "--generated=g")
    assert outcome.status == 2
    assert "--reference is missing" in outcome.err
