from __future__ import annotations

from pathlib import Path

import pytest

from wbc_tf.artefact.model_directory import ModelNotFoundError
from wbc_tf.distributed.packed_model import pack_model, unpack_model


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_model_arrives_as_it_was_sent(tiny_model: Path, tmp_path: Path) -> None:
    folder = unpack_model(pack_model(tiny_model), tmp_path)
    assert folder == tmp_path
    assert contents(folder) == contents(tiny_model / "1")


def test_an_onnx_file_is_a_model_too(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"network")
    (tmp_path / "there").mkdir()
    path = unpack_model(pack_model(tmp_path / "a.onnx"), tmp_path / "there")
    assert (path.name, path.read_bytes()) == ("a.onnx", b"network")


@pytest.mark.parametrize("name", ["nowhere", "nowhere.onnx"])
def test_a_model_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ModelNotFoundError, match=name):
        pack_model(name)
