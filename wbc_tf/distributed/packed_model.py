"""A model as it is sent to the workers, so that they need no copy of it on their own disks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wbc_tf.artefact.model_directory import ModelNotFoundError, find_model, read_metadata
from wbc_tf.files import PathLike
from wbc_tf.inference.engines import is_onnx


@dataclass(frozen=True)
class PackedModel:
    """The files of a model: name below the model's folder -> content."""

    files: dict[str, bytes]


def pack_model(model: PathLike) -> PackedModel:
    """Reads a model's files; imports no TensorFlow.

    Args:
      model: an .onnx file, a model directory, or an embedded model's name.

    Raises:
      ModelNotFoundError: no such model.
    """
    if is_onnx(model):
        path = Path(model)
        if not path.is_file():
            raise ModelNotFoundError(f"{path}: there is no such file")
        return PackedModel({path.name: path.read_bytes()})
    version = find_model(model)
    read_metadata(version)  # a folder without it is no model of this project
    files = sorted(path for path in version.rglob("*") if path.is_file())
    return PackedModel({path.relative_to(version).as_posix(): path.read_bytes() for path in files})


def unpack_model(model: PackedModel, folder: Path) -> Path:
    """Writes the files into an empty folder; returns what `Cartoonizer.load` takes."""
    for name, content in model.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    names = list(model.files)
    return folder / names[0] if len(names) == 1 and is_onnx(names[0]) else folder
