"""The methods by name: a new one is a package beside these and one line here."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from wbc_tf.files import PathLike

if TYPE_CHECKING:
    from wbc_tf.training.method import Method

#: name -> module that offers `Config`, a dataclass with `presets()`, and `build(config)`, a
#: `wbc_tf.training.method.Method`. Its sibling `serving` offers `load_generator(name_or_path)`,
#: `coefficients(generator, photo)` and `save(generator, directory, ...)`, see white_box's.
METHODS = {
    "white_box": "wbc_tf.methods.white_box.method",
}


class RunNotFoundError(FileNotFoundError):
    """A folder that holds no training run."""


class RunError(ValueError):
    """A training run that cannot be set up again; the message says why."""


def method_module(name: str) -> ModuleType:
    """The module of a method; imported only when asked for.

    Raises:
      ValueError: no such method.
    """
    if name not in METHODS:
        raise ValueError(f"no method '{name}'; there is {', '.join(sorted(METHODS))}")
    return import_module(METHODS[name])


def serving_module(name: str) -> ModuleType:
    """The module by which a method's models are saved and loaded.

    Raises:
      ValueError: no such method.
    """
    package = method_module(name).__name__.rpartition(".")[0]
    return import_module(f"{package}.serving")


def method_of_run(workdir: PathLike) -> tuple[Method, dict[str, Any]]:
    """A run's method, set up as ``config.json`` records it, and that record.

    Its weights are new ones: a checkpoint is yet to be restored. What it trained on must still be
    there.

    Raises:
      RunNotFoundError: no run there.
      RunError: its record is damaged, or names what is no longer there.
    """
    recorded = Path(workdir) / "config.json"
    if not recorded.is_file():
        raise RunNotFoundError(f"{workdir}: no training run, config.json is not there")
    try:
        document = json.loads(recorded.read_text("utf-8"))
        module = method_module(document["method"])
        method: Method = module.build(module.Config(**document["config"]))
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise RunError(f"{recorded}: this run cannot be set up again ({error})") from error
    return method, document
