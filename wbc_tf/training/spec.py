"""What the registry knows of a method. Imports no TensorFlow: flags and help come from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wbc_tf.training.config import TrainingConfig

if TYPE_CHECKING:
    import tensorflow as tf

    from wbc_tf.artefact.exported import Exported
    from wbc_tf.training.method import Method


@dataclass(frozen=True)
class Converter:
    """How published weights of a method become a model directory.

    Attributes:
      licence: of these weights, for people and for ``model.json``.
      expects: what ``--checkpoint`` names, in words.
      load: path -> the generator with these weights. Raises `ConversionError` or `WeightsError`.
      metadata: path -> what ``model.json`` says beside the licence: the origin, and settings of
        published models that differ from the method's own.
      download: (base URL) -> the path of the fetched checkpoint; None where nothing is to fetch.
      base_url: where the published files lie.
    """

    licence: str
    expects: str
    load: Callable[[str], tf.keras.Model]
    metadata: Callable[[str], dict[str, Any]]
    download: Callable[[str], str] | None = None
    base_url: str = ""


class ConversionError(Exception):
    """Weights that could not be fetched or read; the message says which and what to do."""


@dataclass(frozen=True)
class MethodSpec:
    """What the registry knows of a method.

    The functions import TensorFlow when they are called, so that ``--help`` does not wait for it.

    Attributes:
      name: as in ``--method`` and ``model.json``.
      title: name of the paper's system, for people.
      config: the method's `TrainingConfig`.
      build: config -> the trainable method, inside the strategy's scope.
      exported: () -> what inference needs of it.
      converter: () -> how published weights are read; None where there are none.
    """

    name: str
    title: str
    config: type[TrainingConfig]
    build: Callable[[Any], Method]
    exported: Callable[[], Exported]
    converter: Callable[[], Converter] | None = None


def package_spec(
    package: str, *, title: str, config: type[TrainingConfig], method: str
) -> MethodSpec:
    """The spec of a method that is a package with the usual files.

    These are ``method.py`` with the trainable method, ``exported.py`` with ``EXPORTED``, and
    ``convert.py`` with ``CONVERTER``.

    Args:
      package: its full name; the last part is the method's name.
      title: name of the paper's system.
      config: the method's config.
      method: name of the class in ``method.py``.
    """

    def part(file: str, name: str) -> Any:
        return getattr(import_module(f"{package}.{file}"), name)

    return MethodSpec(
        name=package.rpartition(".")[2],
        title=title,
        config=config,
        build=lambda config: part("method", method)(config),
        exported=lambda: part("exported", "EXPORTED"),
        converter=lambda: part("convert", "CONVERTER"),
    )
