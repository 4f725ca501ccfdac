from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.evaluation.pictures import PictureFolder
from wbc_tf.evaluation.reporting import name_left_out, name_unpaired, provenance


def test_versions_and_commit_are_stated() -> None:
    stated = provenance()
    assert stated["versions"]["tensorflow"] == tf.__version__
    assert stated["versions"]["numpy"] == np.__version__
    assert "wbc_tf" in stated["versions"]
    assert stated["commit"]


def test_what_is_left_out_is_named(
    picture_folders: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folders = {label: PictureFolder(path, label=label) for label, path in picture_folders.items()}
    assert name_left_out({}, folders)
    assert capsys.readouterr().err == ""
    folders["photos"].broken[folders["photos"].files[0]] = "cut off"
    name_unpaired(["1: not in photos"])
    assert not name_left_out({"fid": "no weights", "kid": "no weights"}, folders)
    assert capsys.readouterr().err.splitlines() == [
        "not compared in content: 1: not in photos",
        "fid, kid: not measured: no weights",
        "1 broken pictures were left out",
    ]
