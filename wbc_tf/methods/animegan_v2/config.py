"""Everything that an AnimeGANv2 training run can be told.

The defaults are the preset `animegan_v2`, which is Hayao's. Every number is of the authors'
program or of their published runs; where these disagree, `AnimeGanV2Config.presets` says which is
taken and why.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from wbc_tf.training.config import (
    ANY,
    NOT_NEGATIVE,
    POSITIVE,
    TrainingConfig,
    one_of,
    option,
    with_default,
)

# An epoch is as many steps as the larger of both folders fills batches of 12. The program states no
# number of photos; it is counted with 6,656 here, so 554 steps. The published models are of
# epochs 99, 53 and 54, counted from 0, and the first 10 are the initial phase.
_STEPS_PER_EPOCH = 6_656 // 12
_INITIAL_EPOCHS = 10


def _steps(last_epoch: int) -> int:
    return (last_epoch + 1 - _INITIAL_EPOCHS) * _STEPS_PER_EPOCH


@dataclasses.dataclass(frozen=True)
class AnimeGanV2Config(TrainingConfig):
    """A training run; each field's meaning is its ``metadata["help"]``.

    Raises:
      ValueError: a value that cannot be; the message says which, what it is and what it must be.
    """

    topic: ClassVar[str] = "AnimeGANv2"

    # Data and run.
    batch_size: int = with_default(TrainingConfig, "batch_size", 12)
    pretrain_steps: int = with_default(
        TrainingConfig, "pretrain_steps", _INITIAL_EPOCHS * _STEPS_PER_EPOCH
    )
    steps: int = with_default(TrainingConfig, "steps", _steps(99))
    color_shift: bool = option(
        False,
        ANY,
        "Add to the coloured style pictures what makes the mean colour of their folder grey, as an "
        "older version of the released program does. Reads every picture of the folder once.",
    )

    # Network and optimizers.
    generator: str = option(
        "full",
        one_of("full", "lite"),
        "The published network of 2.1 million weights, or the small one of 0.7 million.",
    )
    learning_rate: float = with_default(TrainingConfig, "learning_rate", 2e-5)
    pretrain_learning_rate: float = option(
        2e-4, POSITIVE, "Adam's rate for the generator in the pre-training."
    )
    discriminator_learning_rate: float = option(
        4e-5, POSITIVE, "Adam's rate for the discriminator."
    )

    # Objective: the generator's.
    content_weight: float = option(
        1.5,
        NOT_NEGATIVE,
        "Weight of the VGG distance between output and photo; the pre-training has no other term.",
    )
    style_weight: float = option(
        2.5,
        NOT_NEGATIVE,
        "Weight of the distance between the Gram matrices of output and grey style pictures.",
    )
    color_weight: float = option(
        10.0, NOT_NEGATIVE, "Weight of the colour difference between output and photo."
    )
    tv_weight: float = option(1.0, NOT_NEGATIVE, "Weight of the total variation.")
    adversarial_weight: float = option(
        300.0, NOT_NEGATIVE, "Weight of the adversarial loss, the generator's and the other one."
    )

    # Objective: the discriminator's, all within the adversarial weight.
    anime_weight: float = option(
        1.2, NOT_NEGATIVE, "Weight of style pictures, which should count as real."
    )
    generated_weight: float = option(
        1.2, NOT_NEGATIVE, "Weight of the output, which should count as generated."
    )
    gray_weight: float = option(
        1.2, NOT_NEGATIVE, "Weight of grey style pictures, which should count as generated."
    )
    smooth_weight: float = option(
        0.8,
        NOT_NEGATIVE,
        "Weight of grey style pictures with blurred edges, which should count as generated.",
    )

    def check(self) -> None:
        """See `TrainingConfig.check`."""
        if self.generator == "lite" and self.patch_size % 8:
            raise ValueError(
                f"patch_size is {self.patch_size}, and must be a multiple of 8 with generator=lite"
            )
        if self.pretrain_steps and not self.content_weight:
            raise ValueError(
                "content_weight is 0, and must be more where there are pretrain_steps: the "
                "pre-training has no other term"
            )

    def generator_settings(self) -> dict[str, Any]:
        """See `TrainingConfig.generator_settings`."""
        return {"network": self.generator}

    @classmethod
    def presets(cls) -> dict[str, AnimeGanV2Config]:
        """The recipes by name: the authors' three styles. `animegan_v2` is Hayao's.

        The four weights of the discriminator are those of the program's comments; those of Shinkai
        are the active ones. Batches, rates, crops and phases are the program's for all three.

        animegan_v2_hayao: 100 epochs. The comments say a colour weight of 15; the program's own
          default is 10, and the name of the default training folder says 10. We take 10.
        animegan_v2_shinkai: 54 epochs. Comments, program and folder agree.
        animegan_v2_paprika: 55 epochs. The comments say content 2.0 and total variation 0.1; the
          name of the published training folder, Paprika 1_0_50_1 with weights cut to integers,
          says content below 2 and total variation 1 or more. A folder's name comes from the run
          itself. We take content 1.5, as Hayao's, which fits it, and total variation 1; which
          content weight between 1 and 2 it was cannot be told. Style 0.6 and colour 50 fit both.
        """
        hayao = cls()
        shinkai = cls(
            steps=_steps(53),
            content_weight=1.2,
            style_weight=2.0,
            color_weight=10.0,
            anime_weight=1.7,
            generated_weight=1.7,
            gray_weight=1.7,
            smooth_weight=1.0,
        )
        paprika = cls(
            steps=_steps(54),
            content_weight=1.5,
            style_weight=0.6,
            color_weight=50.0,
            tv_weight=1.0,
            anime_weight=1.0,
            generated_weight=1.0,
            gray_weight=1.0,
            smooth_weight=0.005,
        )
        return {
            "animegan_v2": hayao,
            "animegan_v2_hayao": hayao,
            "animegan_v2_shinkai": shinkai,
            "animegan_v2_paprika": paprika,
        }
