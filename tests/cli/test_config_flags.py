from __future__ import annotations

import dataclasses
from typing import ClassVar

import pytest
from absl import flags

from wbc_tf.cli.config_flags import config_from_flags, define_config_flags


def option(default, text="What it does."):
    return dataclasses.field(default=default, metadata={"help": text})


@dataclasses.dataclass(frozen=True)
class Recipe:
    topic: ClassVar[str] = "Recipe"

    name: str = option("")
    steps: int = option(10)
    rate: float = option(0.5)
    fast: bool = option(True)
    sizes: tuple[float, ...] = option((1.0, 2.0))


def parsed(*arguments):
    values = flags.FlagValues()
    define_config_flags(Recipe, values)
    values(["program", *arguments])
    return values


def test_what_is_not_given_stays_as_the_preset_has_it():
    preset = Recipe(name="mine", steps=3, rate=0.1, fast=False, sizes=(4.0,))
    assert config_from_flags(preset, parsed()) == preset


def test_what_is_given_comes_in_its_type():
    values = parsed("--name=a", "--steps=7", "--rate=1", "--nofast", "--sizes=3,4.5")
    expected = Recipe(name="a", steps=7, rate=1.0, fast=False, sizes=(3.0, 4.5))
    assert config_from_flags(Recipe(), values) == expected


def test_help_states_the_default():
    values = parsed()
    assert values["steps"].help == "What it does. Default: 10."
    assert values["name"].help == "What it does."


def test_a_list_with_a_wrong_element_names_flag_and_element():
    with pytest.raises(ValueError, match="sizes: 'x' is no float"):
        config_from_flags(Recipe(), parsed("--sizes=1,x"))


@dataclasses.dataclass(frozen=True)
class Extended(Recipe):
    topic: ClassVar[str] = "Extended"

    steps: int = option(20)  # another default of an inherited field
    depth: int = option(3)


def test_help_shows_the_fields_of_the_class_itself_first():
    values = flags.FlagValues()
    define_config_flags(Extended, values)
    described = {
        topic: [flag.name for flag in those]
        for topic, those in values.flags_by_module_dict().items()
    }
    assert described == {
        "Extended": ["depth"],
        "Recipe": ["name", "steps", "rate", "fast", "sizes"],
    }
    assert list(described) == ["Extended", "Recipe"]
    assert values["steps"].help == "What it does. Default: 20."
