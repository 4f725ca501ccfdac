"""A model directory: ``NAME/<version>/``, each version a SavedModel.

Training exports it, TensorFlow Serving watches it, and inference loads it. Besides the graph it
holds the variables under their names, so that the Keras network can be loaded from it too.

    NAME/1/saved_model.pb
    NAME/1/variables/...
    NAME/1/assets.extra/model.json     method, network, serving settings, licence, origin
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wbc_tf.artefact.weights import assign_strictly, named_variables
from wbc_tf.files import PathLike

if TYPE_CHECKING:
    import tensorflow as tf

METADATA = Path("assets.extra", "model.json")

_PACKAGE = Path(__file__).resolve().parent.parent
#: Where a bare model name is looked up: in a checkout, then in an installed package.
MODEL_FOLDERS = (_PACKAGE.parent / "pretrained_models", _PACKAGE / "pretrained_models")


class ModelNotFoundError(FileNotFoundError):
    """No model at that path or of that name; the message says where it was looked for."""


def save_model(
    directory: PathLike,
    *,
    model: tf.keras.Model,
    signatures: Mapping[str, Any],
    metadata: Mapping[str, Any],
    complete: Callable[[Path], None] | None = None,
) -> Path:
    """Writes the next version of a model directory, complete or not at all.

    Args:
      directory: ``NAME``; made if it is not there. Existing versions are never touched.
      model: the network, for its variables' names; its Python class is not saved.
      signatures: name -> ``tf.function`` with a fixed input signature, over the model's variables.
      metadata: the content of ``model.json``; "method" and "licence" must be in it.
      complete: called with the finished version before it gets its name, to add files to it or to
        refuse it: what it raises leaves nothing behind.

    Returns:
      The new version's folder.
    """
    import tensorflow as tf

    for field in ("method", "licence"):
        if field not in metadata:
            raise ValueError(f"model metadata must state '{field}'; it has {sorted(metadata)}")
    module = tf.Module()
    module.weights = named_variables(model)

    def write(partial: Path) -> None:
        tf.saved_model.save(module, str(partial), signatures=dict(signatures))
        (partial / METADATA).parent.mkdir()
        (partial / METADATA).write_text(json.dumps(dict(metadata), indent=2) + "\n", "utf-8")
        if complete is not None:
            complete(partial)

    return write_version(Path(directory), write)


def write_version(directory: Path, write: Callable[[Path], None]) -> Path:
    """Adds the next version to a folder, complete or not at all.

    Args:
      directory: made if it is not there. Existing versions are never touched.
      write: fills an empty folder; what it raises leaves nothing behind.

    Returns:
      The new version's folder.
    """
    directory.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=directory))
    try:
        write(partial)
        partial.chmod(0o755)
        return _take_next_number(partial, directory)
    except BaseException:  # Ctrl-C as well must leave no half version behind
        shutil.rmtree(partial, ignore_errors=True)
        with contextlib.suppress(OSError):  # it holds other versions
            directory.rmdir()
        raise


def _take_next_number(finished: Path, directory: Path) -> Path:
    while True:
        version = directory / str(max(_versions(directory), default=0) + 1)
        try:
            os.rename(finished, version)
            return version
        except OSError:
            # Another export took the number meanwhile; renaming never replaces a filled folder.
            if not version.exists():
                raise


def _versions(directory: Path) -> list[int]:
    return [int(child.name) for child in directory.iterdir() if child.name.isdecimal()]


def find_model(name_or_path: PathLike) -> Path:
    """The SavedModel folder that a user means.

    Args:
      name_or_path: a version's folder, a model directory (its highest version is taken), or the
        bare name of a model in ``pretrained_models/``.

    Raises:
      ModelNotFoundError: nothing there.
    """
    candidates = [Path(name_or_path)]
    if len(Path(name_or_path).parts) == 1:
        candidates += [folder / name_or_path for folder in MODEL_FOLDERS]
    for candidate in candidates:
        if (candidate / "saved_model.pb").is_file():
            return candidate
        if candidate.is_dir() and _versions(candidate):
            return candidate / str(max(_versions(candidate)))
    known = sorted({m.name for f in MODEL_FOLDERS if f.is_dir() for m in f.iterdir() if m.is_dir()})
    raise ModelNotFoundError(
        f"no model '{os.fspath(name_or_path)}': expected a folder with saved_model.pb or with "
        f"version folders (1, 2, ...), or one of the embedded models: {', '.join(known) or 'none'}"
    )


def model_name(version: PathLike) -> str:
    """NAME of ``NAME/1``; of a SavedModel that stands alone, its own."""
    version = Path(version).resolve()
    return version.parent.name if version.name.isdecimal() else version.name


def read_metadata(version: PathLike) -> dict[str, Any]:
    """What ``model.json`` says in a version's folder; raises `ModelNotFoundError` without one."""
    path = Path(version) / METADATA
    if not path.is_file():
        raise ModelNotFoundError(f"{path}: missing, so {version} is not a model of this project")
    metadata: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return metadata


def load_signatures(version: PathLike) -> dict[str, Callable[..., Any]]:
    """The signatures of a version by name; ``strength`` and ``delta`` may be left out of a call.

    TensorFlow Serving fills them in by itself from the SavedModel; Python does not.
    """
    import tensorflow as tf

    loaded = tf.saved_model.load(str(version))
    delta = read_metadata(version).get("delta", 1.0)
    return {
        name: _with_defaults(loaded, signature, {"strength": 1.0, "delta": delta})
        for name, signature in loaded.signatures.items()
    }


def _with_defaults(
    loaded: Any, signature: Any, defaults: Mapping[str, float]
) -> Callable[..., Any]:
    import tensorflow as tf

    _, inputs = signature.structured_input_signature
    known = {name: tf.constant(value) for name, value in defaults.items() if name in inputs}

    def call(**given: Any) -> Any:
        return signature(**known | {name: tf.convert_to_tensor(v) for name, v in given.items()})

    call.model = loaded  # type: ignore[attr-defined]  # the variables live as long as the model
    return call


def load_weights(model: tf.keras.Model, version: PathLike) -> None:
    """Fills a built network with a version's weights, strictly (see `wbc_tf.artefact.weights`)."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(version))
    if not hasattr(loaded, "weights"):
        raise ModelNotFoundError(f"{version}: a SavedModel, but not one of this project")
    assign_strictly(named_variables(model), dict(loaded.weights), source=str(version))
