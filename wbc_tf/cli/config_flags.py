"""A config dataclass as command-line flags, so that each option is written down once."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from absl import flags

Config = TypeVar("Config")


def define_config_flags(config_class: type[Any], values: flags.FlagValues) -> None:
    """Defines a flag for each field: its name, its default's type, its ``metadata["help"]``.

    No flag has a default of its own: what is not given stays as the preset has it.
    """
    define: dict[type, Any] = {
        bool: flags.DEFINE_boolean,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        str: flags.DEFINE_string,
        tuple: flags.DEFINE_list,
    }
    for field in dataclasses.fields(config_class):
        text = field.metadata["help"]
        if field.default not in ("", ()):
            text += f" Default: {field.default}."
        define[type(field.default)](field.name, None, text, flag_values=values)


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
