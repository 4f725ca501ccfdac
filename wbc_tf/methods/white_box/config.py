"""Everything that a white-box training run can be told.

The defaults are the preset `white_box`: the authors' released code. Where the paper differs, the
field says so, and the preset `white_box_paper` follows it. What we add to the recipe is in
`wbc_tf.additions.config`.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from wbc_tf.additions.config import AddedFields
from wbc_tf.training.config import (
    ANY,
    NOT_NEGATIVE,
    POSITIVE,
    TrainingConfig,
    one_of,
    option,
    with_default,
)


@dataclasses.dataclass(frozen=True)
class WhiteBoxConfig(AddedFields):
    """A training run; each field's meaning is its ``metadata["help"]``.

    Raises:
      ValueError: a value that cannot be; the message says which, what it is and what it must be.
    """

    topic: ClassVar[str] = "White-box"

    # Data.
    face_photo_dir: str = option(
        "",
        ANY,
        "Folder of portrait photos; with it, one batch in five shows faces. Optional.",
        location=True,
    )
    face_cartoon_dir: str = option(
        "",
        ANY,
        "Folder of cartoon faces; given together with --face_photo_dir or not at all.",
        location=True,
    )

    # The run.
    pretrain_loss: str = option(
        "pixel",
        one_of("pixel", "content"),
        "Loss of the pre-training: pixel L1 (released code), or the content loss (paper).",
    )
    beta_2: float = with_default(TrainingConfig, "beta_2", 0.99)
    vgg: str = option("vgg16", one_of("vgg16", "vgg19"), "vgg16 (paper) or vgg19 (released).")
    vgg_layer: str = option(
        "block4_conv3",
        ANY,
        "Layer whose features, before its ReLU, content and structure are compared by; released: "
        "vgg19's block4_conv4. Another layer needs other weights: see "
        "wbc_tf.methods.white_box.objective.feature_l1.",
    )

    # Generator and representations.
    bound_output: str = option(
        "none",
        one_of("none", "clip", "tanh"),
        "What keeps the generator's output in [-1, 1]: nothing (released), clipping, or tanh, "
        "which helps against colour blotches. It is part of the exported model.",
    )
    output_filter_radius: int = option(
        1, NOT_NEGATIVE, "Radius in pixels of the guided filter on the generator's output."
    )
    output_filter_eps: float = option(
        1e-2,
        POSITIVE,
        "Eps of the guided filter on the generator's output in training; the exported model has "
        "5e-3 (both as released).",
    )
    surface_radius: int = option(
        5, NOT_NEGATIVE, "Radius in pixels of the surface representation's guided filter."
    )
    surface_eps: float = option(
        0.2, POSITIVE, "Eps of the surface representation's guided filter; less keeps more edges."
    )
    structure: str = option(
        "slic",
        one_of("adaptive", "slic", "felzenszwalb"),
        "Structure representation: SLIC superpixels in their mean colours (what the released "
        "program trains with), merged and adaptively coloured regions (paper), or regions before "
        "merging in their mean colours.",
    )
    structure_released: bool = option(
        True, ANY, "Reproduce the released program's structure code with its quirks."
    )

    # Objective.
    adversarial: str = option(
        "lsgan", one_of("lsgan", "log"), "Least squares (released code) or log loss (paper)."
    )
    surface_weight: float = option(0.1, NOT_NEGATIVE, "Weight of the surface loss; paper: 1.")
    texture_weight: float = option(1.0, NOT_NEGATIVE, "Weight of the texture loss; paper: 10.")
    structure_weight: float = option(
        200.0,
        NOT_NEGATIVE,
        "Weight of the VGG distance between the output and its structure map; paper: 2000.",
    )
    content_weight: float = option(
        200.0,
        NOT_NEGATIVE,
        "Weight of the VGG distance between the output and its target; paper: 2000.",
    )
    tv_weight: float = option(1e4, NOT_NEGATIVE, "Weight of the total variation; paper: the same.")

    def check(self) -> None:
        """See `TrainingConfig.check`."""
        super().check()
        if bool(self.face_photo_dir) != bool(self.face_cartoon_dir):
            missing = "face_cartoon_dir" if self.face_photo_dir else "face_photo_dir"
            raise ValueError(
                f"{missing} is empty, and must be given where the other folder of faces is"
            )
        if self.pretrain_steps and self.pretrain_loss == "content" and not self.content_weight:
            raise ValueError("content_weight is 0, and must be more where pretrain_loss is content")

    def generator_settings(self) -> dict[str, Any]:
        """See `TrainingConfig.generator_settings`."""
        return {"bound": self.bound_output}

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
