"""The methods by name: a new one is a package beside these and one line here."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

#: name -> module that offers `Config`, a dataclass with `presets()`, and `build(config)`, a
#: `wbc_tf.training.method.Method`. Its sibling `serving` offers `load_generator(name_or_path)`,
#: `coefficients(generator, photo)` and `save(generator, directory, ...)`, see white_box's.
METHODS = {
    "white_box": "wbc_tf.methods.white_box.method",
}


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
