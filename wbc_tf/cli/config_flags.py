"""A config dataclass as command-line flags, so that each option is written down once."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from absl import flags

from wbc_tf.cli.command_line import on_topic

Config = TypeVar("Config")


def define_config_flags(config_class: type[Any], values: flags.FlagValues) -> None:
    """Defines a flag for each field: its name, its default's type, its ``metadata["help"]``.

    No flag has a default of its own: what is not given stays as the preset has it. In --help the
    fields that the class declares itself come first, then those of each class that it derives from,
    each under the class's ``topic``.
    """
    define: dict[type, Any] = {
        bool: flags.DEFINE_boolean,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        str: flags.DEFINE_string,
        tuple: flags.DEFINE_list,
    }
    declared = [each for each in config_class.__mro__ if dataclasses.is_dataclass(each)]
    for index, owner in enumerate(declared):
        inherited = {name for each in declared[index + 1 :] for name in _field_names(each)}
        for field in dataclasses.fields(config_class):
            if field.name not in _field_names(owner) or field.name in inherited:
                continue
            text = field.metadata["help"]
            if field.default not in ("", ()):
                text += f" Default: {field.default}."
            topic = on_topic(getattr(owner, "topic", "Settings"), values)
            define[type(field.default)](field.name, None, text, **topic)


def _field_names(config_class: type[Any]) -> set[str]:
    return {field.name for field in dataclasses.fields(config_class)}


def config_from_flags(preset: Config, values: flags.FlagValues) -> Config:
    """The preset with the fields that were given on the command line.

    Raises:
      ValueError: from the config, for values that cannot be.
    """
    given = {}
    for field in dataclasses.fields(preset):  # type: ignore[arg-type]
        value = values[field.name].value
        if value is None:
            continue
        if isinstance(field.default, tuple):
            value = tuple(_element(field.default, field.name, text) for text in value)
        given[field.name] = value
    return dataclasses.replace(preset, **given)  # type: ignore[type-var]


def _element(default: tuple[Any, ...], name: str, text: str) -> Any:
    kind = type(default[0])
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"{name}: {text!r} is no {kind.__name__}") from error
