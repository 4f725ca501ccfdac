"""Everything that a white-box training run can be told, in one frozen dataclass.

The defaults are the preset `white_box`: the authors' released code. Where the paper differs, the
field says so, and the preset `white_box_paper` follows it.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any, NamedTuple

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


class _Check(NamedTuple):
    expectation: str
    holds: Callable[[Any], bool]


_POSITIVE = _Check("greater than 0", lambda value: value > 0)
_NOT_NEGATIVE = _Check("0 or more", lambda value: value >= 0)
_FRACTION = _Check("at least 0 and below 1", lambda value: 0 <= value < 1)
_ANY = _Check("anything", lambda value: True)


def _one_of(*choices: str) -> _Check:
    return _Check(f"one of {', '.join(choices)}", lambda value: value in choices)


def _option(default: Any, check: _Check, text: str, *, location: bool = False) -> Any:
    """A field; a location says where something lies, and may change when a run is resumed."""
    metadata = {"help": text, "check": check, "location": location}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class WhiteBoxConfig:
    """A training run; each field's meaning is its ``metadata["help"]``.

    Raises:
      ValueError: a value that cannot be; the message says which, what it is and what it must be.
    """

    # Data.
    photo_dir: str = _option("", _ANY, "Folder of scenery photos.", location=True)
    cartoon_dir: str = _option(
        "", _ANY, "Folder of scenery cartoons, such as film frames.", location=True
    )
    face_photo_dir: str = _option(
        "",
        _ANY,
        "Folder of portrait photos; with it, one batch in five shows faces. Optional.",
        location=True,
    )
    face_cartoon_dir: str = _option(
        "",
        _ANY,
        "Folder of cartoon faces; given together with --face_photo_dir or not at all.",
        location=True,
    )
    patch_size: int = _option(
        256,
        _Check("a multiple of 4, 32 or more", lambda value: value >= 32 and value % 4 == 0),
        "Side of the training crops in pixels.",
    )
    crop_sides: tuple[float, float] = _option(
        (0.36, 1.0),
        _Check(
            "two numbers above 0 and up to 1, the smaller first",
            lambda value: len(value) == 2 and 0 < value[0] <= value[1] <= 1,
        ),
        "Least and largest side of what a crop shows, in parts of the picture's short side, before "
        "it is scaled to --patch_size. The generator works at 720 pixels, of which 256 are 0.36.",
    )
    batch_size: int = _option(
        16,
        _POSITIVE,
        "Photos per step over all devices together, and as many cartoons.",
    )
    seed: int = _option(
        0,
        _Check("at least 0 and below 2^32", lambda value: 0 <= value < 2**32),
        "Of the first weights, the order of the data and every draw in a step.",
    )

    # The run.
    pretrain_steps: int = _option(
        50_000,
        _NOT_NEGATIVE,
        "Steps in which the generator learns to give back its input, before it meets the "
        "discriminators.",
    )
    pretrain_loss: str = _option(
        "pixel",
        _one_of("pixel", "content"),
        "What counts as giving back: pixel L1 (released code), or the content loss (paper).",
    )
    steps: int = _option(100_000, _NOT_NEGATIVE, "Adversarial steps, after the pre-training.")
    initial_model: str = _option(
        "",
        _ANY,
        "Name or path of a model directory whose generator a new run starts from. Resuming a run "
        "comes first: its checkpoint replaces these weights.",
    )
    allow_random_start: bool = _option(
        False,
        _ANY,
        "Let the adversarial steps begin with neither pre-training nor an initial model. From "
        "random weights they tend to end in one flat colour.",
    )
    learning_rate: float = _option(2e-4, _POSITIVE, "Adam's, in both phases.")
    discriminator_rate: float = _option(
        1.0,
        _POSITIVE,
        "Times --learning_rate is the discriminators' own. They learn nothing before the "
        "adversarial steps, so a short run wants them faster than the generator (Heusel et al., "
        "NeurIPS 2017); neither the paper nor the released code has it.",
    )
    beta_1: float = _option(0.5, _FRACTION, "Adam's decay of the mean gradient.")
    beta_2: float = _option(0.99, _FRACTION, "Adam's decay of the mean squared gradient.")
    ema_momentum: float = _option(
        0.999,
        _FRACTION,
        "Of the generator's moving average, from which samples and exports are made (neither the "
        "paper nor the released code has one); 0 follows the weights themselves.",
    )
    precision: str = _option(
        "float32",
        _one_of(*PRECISIONS),
        "Of the convolutions; guided filters, losses and spectral norms stay in float32.",
    )

    # Generator and representations.
    bound_output: str = _option(
        "none",
        _one_of("none", "clip", "tanh"),
        "What keeps the generator's output in [-1, 1]: nothing (released), cutting off, or tanh, "
        "which helps against colour blotches. Part of the exported model.",
    )
    output_filter_radius: int = _option(
        1, _NOT_NEGATIVE, "Of the guided filter on the generator's output, in pixels."
    )
    output_filter_eps: float = _option(
        1e-2, _POSITIVE, "Of the same filter; the exported model has its own, 5e-3, as released."
    )
    surface_radius: int = _option(
        5, _NOT_NEGATIVE, "Of the surface representation's guided filter, in pixels."
    )
    surface_eps: float = _option(0.2, _POSITIVE, "Of the same filter; smaller keeps more edges.")
    structure: str = _option(
        "slic",
        _one_of("adaptive", "slic", "felzenszwalb"),
        "Structure representation: SLIC superpixels in their mean colours (what the released "
        "program trains with), merged and adaptively coloured regions (paper), or regions before "
        "merging in their mean colours.",
    )
    structure_released: bool = _option(
        True, _ANY, "Reproduce the released program's structure code with its quirks."
    )

    # Objective.
    adversarial: str = _option(
        "lsgan", _one_of("lsgan", "log"), "Least squares (released code) or log loss (paper)."
    )
    surface_weight: float = _option(0.1, _NOT_NEGATIVE, "Of the surface loss; paper: 1.")
    texture_weight: float = _option(1.0, _NOT_NEGATIVE, "Of the texture loss; paper: 10.")
    structure_weight: float = _option(
        200.0,
        _NOT_NEGATIVE,
        "Of the VGG distance between the output and its structure map; paper: 2000.",
    )
    content_weight: float = _option(
        200.0, _NOT_NEGATIVE, "Of the VGG distance between the output and its target; paper: 2000."
    )
    tv_weight: float = _option(1e4, _NOT_NEGATIVE, "Of the total variation; paper: the same.")
    content_target: str = _option(
        "photo",
        _one_of("photo", "structure", "smoothed", "drawn"),
        "What the content loss and the pre-training hold the output to: the photo (paper and "
        "released code), or for flatter pictures the photo's own regions in their mean colours, "
        "or the photo L0-smoothed, whose edges a network finds more easily than a region's, or "
        "drawn: smoothed, a little livelier, with dark contours.",
    )
    content_regions: tuple[float, ...] = _option(
        (12.0, 25.0, 60.0),
        _Check(
            "one or more numbers of at least 1",
            lambda value: len(value) > 0 and all(isinstance(v, float) and v >= 1 for v in value),
        ),
        "With --content_target=structure: Felzenszwalb's scale, and the least pixels of a region, "
        "drawn anew from these for each photo, or the output takes on one grain.",
    )
    content_smoothing: float = _option(
        0.05,
        _POSITIVE,
        "With --content_target=smoothed or drawn: what a change of colour from pixel to pixel "
        "costs; more leaves fewer and larger areas.",
    )
    content_ink: float = _option(
        0.8,
        _Check("between 0 and 1", lambda value: 0 <= value <= 1),
        "With --content_target=drawn: how dark the contours are, 1 is black.",
    )
    content_gamma: float = _option(
        1.0,
        _POSITIVE,
        "With --content_target=drawn: the power that tones are taken to; below 1 for lighter "
        "pictures, as comics are lighter than photos.",
    )
    content_contrast: float = _option(
        0.15,
        _Check("between -1 and 1", lambda value: -1 <= value <= 1),
        "With --content_target=drawn: how far tones then go along an S-curve; below 0 for softer "
        "contrasts, black and white stay.",
    )
    pixel_weight: float = _option(
        0.0,
        _NOT_NEGATIVE,
        "Of the L1 between the output and its target, which keeps tones and contours where VGG "
        "sees little; neither the paper nor the released code has it.",
    )
    gradient_weight: float = _option(
        0.0,
        _NOT_NEGATIVE,
        "Of the L1 between the gradients of output and target, for flat areas and clean edges; "
        "with it, the pre-training on pixels has both terms. Likewise our own.",
    )
    channel_mean_weight: float = _option(
        0.0,
        _NOT_NEGATIVE,
        "Of the L1 between the mean colours of output and photo, against colour casts; neither the "
        "paper nor the released code has it.",
    )

    contrast_weight: float = _option(
        0.0,
        _NOT_NEGATIVE,
        "Of the L1 between the deviations of output and photo, channel by channel, against haze; "
        "not in the paper or the released code either.",
    )
    gradient_count_weight: float = _option(
        0.0,
        _NOT_NEGATIVE,
        "Of the share of pixels that differ from their neighbours, for flat areas between edges; "
        "likewise our own.",
    )

    # VGG.
    vgg: str = _option("vgg16", _one_of("vgg16", "vgg19"), "vgg16 (paper) or vgg19 (released).")
    vgg_layer: str = _option(
        "block4_conv3",
        _ANY,
        "Whose features, before its ReLU, make content and structure; released: vgg19's "
        "block4_conv4. A weight means another pull at another layer: see "
        "wbc_tf.losses.perceptual.feature_l1.",
    )
    vgg_weights: str = _option(
        "imagenet",
        _Check("imagenet, random or a path", lambda value: value != ""),
        "imagenet (downloaded by Keras), the path of an .h5 file, or random (for tests).",
        location=True,
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = _as_type_of(field.default, getattr(self, field.name))
            check = field.metadata["check"]
            if value is None or not check.holds(value):
                kind = type(field.default).__name__
                wanted = f"a {kind}" if value is None else check.expectation
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
        if bool(self.face_photo_dir) != bool(self.face_cartoon_dir):
            missing = "face_cartoon_dir" if self.face_photo_dir else "face_photo_dir"
            raise ValueError(
                f"{missing} is empty, and must be given where the other folder of faces is"
            )
        if self.pretrain_steps and self.pretrain_loss == "content" and not self.content_weight:
            raise ValueError("content_weight is 0, and must be more where pretrain_loss is content")
        if self.gradient_weight and not self.pixel_weight:
            raise ValueError(
                "pixel_weight is 0, and must be more where gradient_weight is: gradients alone do "
                "not say how bright a picture is"
            )
        started = self.pretrain_steps or self.initial_model or self.allow_random_start
        if self.steps and not started:
            raise ValueError(
                f"pretrain_steps is 0 with steps = {self.steps}: from a random generator the "
                "adversarial steps tend to end in one flat colour. Give pretrain_steps or "
                "initial_model, or insist with allow_random_start."
            )

    @classmethod
    def presets(cls) -> dict[str, WhiteBoxConfig]:
        """The recipes by name.

        white_box: the released code's weights, normalisers, losses and pre-training. Two things
          are not the code's: the features are VGG16's (paper), and photo and output share one step.
        white_box_paper: what the paper states (sections 3 and 4.1), with the released code's
          normalisers, since the paper gives none. Its lambdas are then ten times the code's, but
          for the total variation's: that one is ten times weaker in the paper's balance.
        """
        paper = cls(
            pretrain_loss="content",
            structure="adaptive",
            structure_released=False,
            adversarial="log",
            surface_weight=1.0,
            texture_weight=10.0,
            structure_weight=2e3,
            content_weight=2e3,
        )
        return {"white_box": cls(), "white_box_paper": paper}

    def to_json(self) -> str:
        """Every field, for ``config.json``."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> WhiteBoxConfig:
        """The inverse of `to_json`.

        Raises:
          ValueError: no JSON object, fields unknown or missing, or a value that cannot be.
        """
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError(f"a config is a JSON object, not {type(values).__name__}")
        names = {field.name for field in dataclasses.fields(cls)}
        problems = [f"unknown: {name}" for name in sorted(values.keys() - names)]
        problems += [f"missing: {name}" for name in sorted(names - values.keys())]
        if problems:
            raise ValueError(f"not a white_box config: {', '.join(problems)}")
        return cls(**values)


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
