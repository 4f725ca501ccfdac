"""What every method's training run can be told, and how a field of a config is declared.

A method derives its own frozen dataclass from `TrainingConfig`, adds its fields and gives others a
default of its own. Every field becomes a flag of ``train.py``.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeVar

#: The convolutions of each network, as Keras names them.
VGG_LAYERS = {
    name: tuple(
        f"block{block}_conv{conv}"
        for block, count in enumerate(counts, start=1)
        for conv in range(1, count + 1)
    )
    for name, counts in {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}.items()
}
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")

# What a value of a field's type is called, for people.
_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    str: "a text",
    tuple: "a list of finite numbers",
}

Config = TypeVar("Config", bound="TrainingConfig")


class Check(NamedTuple):
    """What a field's value must be: in words, and as a test."""

    expectation: str
    holds: Callable[[Any], bool]


POSITIVE = Check("greater than 0", lambda value: value > 0)
NOT_NEGATIVE = Check("0 or more", lambda value: value >= 0)
FRACTION = Check("at least 0 and below 1", lambda value: 0 <= value < 1)
SHARE = Check("between 0 and 1", lambda value: 0 <= value <= 1)
ANY = Check("anything", lambda value: True)


def one_of(*choices: str) -> Check:
    """One of some words."""
    return Check(f"one of {', '.join(choices)}", lambda value: value in choices)


def option(default: Any, check: Check, text: str, *, location: bool = False) -> Any:
    """A field of a config.

    Args:
      default: also gives the field's type.
      check: of its value.
      text: its help, one or more sentences.
      location: it says where something lies, and may change when a run is resumed.
    """
    metadata = {"help": text, "check": check, "location": location}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """A training run; each field's meaning is its ``metadata["help"]``.

    Raises:
      ValueError: a value that cannot be; the message says which, what it is and what it must be.
    """

    #: Its fields' heading in --help.
    topic: ClassVar[str] = "Training, whatever the method"

    # Data.
    photo_dir: str = option("", ANY, "Folder of photos.", location=True)
    cartoon_dir: str = option(
        "", ANY, "Folder of pictures of the style, such as film frames.", location=True
    )
    patch_size: int = option(
        256,
        Check("a multiple of 4, 32 or more", lambda value: value >= 32 and value % 4 == 0),
        "Side of the training crops in pixels.",
    )
    crop_sides: tuple[float, float] = option(
        (0.36, 1.0),
        Check(
            "two numbers above 0 and up to 1, the smaller first",
            lambda value: len(value) == 2 and 0 < value[0] <= value[1] <= 1,
        ),
        "Least and largest side of what a crop shows, in parts of the picture's short side, before "
        "it is scaled to --patch_size. At a working resolution of 720 pixels, 256 are 0.36.",
    )
    batch_size: int = option(
        16, POSITIVE, "Photos per step over all devices together, and as many cartoons."
    )
    seed: int = option(
        0,
        Check("at least 0 and below 2^32", lambda value: 0 <= value < 2**32),
        "Decides the first weights, the order of the data and every random number of a step.",
    )

    # The run.
    pretrain_steps: int = option(
        50_000,
        NOT_NEGATIVE,
        "Steps in which the generator learns to give back its input, before it meets a "
        "discriminator.",
    )
    steps: int = option(100_000, NOT_NEGATIVE, "Adversarial steps, after the pre-training.")
    initial_model: str = option(
        "",
        ANY,
        "Name or path of a model directory whose generator a new run starts from. Resuming a run "
        "comes first: its checkpoint replaces these weights.",
    )
    allow_random_start: bool = option(
        False,
        ANY,
        "Let the adversarial steps begin with neither pre-training nor an initial model. From "
        "random weights they tend to end in one flat colour.",
    )

    # Optimizer and average.
    learning_rate: float = option(2e-4, POSITIVE, "Adam's rate for the generator.")
    beta_1: float = option(0.5, FRACTION, "Adam's decay of the mean gradient.")
    beta_2: float = option(0.999, FRACTION, "Adam's decay of the mean squared gradient.")
    ema_momentum: float = option(
        0.999,
        FRACTION,
        "Momentum of the generator's moving average, from which samples and exports are made (no "
        "paper or released program here has one); 0 uses the weights themselves.",
    )
    precision: str = option(
        "float32",
        one_of(*PRECISIONS),
        "Precision of the convolutions; filters, norms and losses stay in float32.",
    )

    # VGG.
    vgg: str = option("vgg19", one_of("vgg16", "vgg19"), "Network that compares content.")
    vgg_layer: str = option(
        "block4_conv4", ANY, "Layer of that network; its features before the ReLU are compared."
    )
    vgg_weights: str = option(
        "imagenet",
        Check("imagenet, random or a path", lambda value: value != ""),
        "imagenet (downloaded by Keras), the path of an .h5 file, or random (for tests).",
        location=True,
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = _as_type_of(field.default, getattr(self, field.name))
            check = field.metadata["check"]
            if value is None or not check.holds(value):
                wanted = _KINDS[type(field.default)] if value is None else check.expectation
                raise ValueError(
                    f"{field.name} is {getattr(self, field.name)!r}, and must be {wanted}"
                )
            object.__setattr__(self, field.name, value)
        layers = VGG_LAYERS[self.vgg]
        if self.vgg_layer not in layers:
            raise ValueError(
                f"vgg_layer is {self.vgg_layer!r}, and must be one of {', '.join(layers)} "
                f"with {self.vgg}"
            )
        started = self.pretrain_steps or self.initial_model or self.allow_random_start
        if self.steps and not started:
            raise ValueError(
                f"pretrain_steps is 0 with steps = {self.steps}: from a random generator the "
                "adversarial steps tend to end in one flat colour. Give pretrain_steps or "
                "initial_model, or insist with allow_random_start."
            )
        self.check()

    def check(self) -> None:
        """Raises `ValueError` for fields that do not go together; a method adds its own rules."""

    def generator_settings(self) -> dict[str, Any]:
        """The fields that shape the generator, as `Exported.build` takes them."""
        return {}

    @classmethod
    def presets(cls: type[Config]) -> dict[str, Config]:
        """The method's recipes by name; the first bears the method's own name."""
        raise NotImplementedError(f"{cls.__name__} names no recipe")

    def to_json(self) -> str:
        """Every field, for ``config.json``."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls: type[Config], text: str) -> Config:
        """The inverse of `to_json`; fields that the text lacks have their defaults.

        Raises:
          ValueError: no JSON object, unknown fields, or a value that cannot be.
        """
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError(f"a config is a JSON object, not {type(values).__name__}")
        names = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(values.keys() - names)
        if unknown:
            raise ValueError(f"not a {cls.__name__}: unknown {', '.join(unknown)}")
        return cls(**values)


def with_default(config: type[TrainingConfig], name: str, default: Any) -> Any:
    """A field of a base config with another default and the same check and help."""
    field = config.__dataclass_fields__[name]
    return dataclasses.field(default=default, metadata=field.metadata)


def _as_type_of(default: Any, value: Any) -> Any:
    """The value in its field's type, None if it has none: JSON and callers write 1 for 1.0."""
    if isinstance(default, tuple) and isinstance(value, (list, tuple)):
        value = tuple(_as_type_of(default[0], each) for each in value)
    elif isinstance(default, float) and type(value) is int:
        value = float(value)
    fits = type(value) is type(default)
    if isinstance(value, float):
        fits = fits and math.isfinite(value)
    return value if fits else None
