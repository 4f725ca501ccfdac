"""Everything that a CartoonGAN training run can be told.

The defaults are the preset `cartoongan`: what the first author's Torch program does. Where the
paper differs, the field says so, and the preset `cartoongan_paper` follows it.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from wbc_tf.training.config import (
    ANY,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Check,
    TrainingConfig,
    one_of,
    option,
    with_default,
)

#: The program states a content weight of 10. Its loss module takes pictures to 0..255, which
#: multiplies gradients by 127.5, but its hand-written backward pass divides them by 127.5. The
#: weight that acts on its generator is therefore 10 / 127.5^2.
STATED_CONTENT_WEIGHT = 10.0
ACTING_CONTENT_WEIGHT = STATED_CONTENT_WEIGHT / 127.5**2

_ODD = Check("an odd number, 1 or more", lambda value: value >= 1 and value % 2 == 1)


@dataclasses.dataclass(frozen=True)
class CartoonGanConfig(TrainingConfig):
    """A training run; each field's meaning is its ``metadata["help"]``.

    Raises:
      ValueError: a value that cannot be; the message says which, what it is and what it must be.
    """

    topic: ClassVar[str] = "CartoonGAN"

    # Data.
    whole_pictures: bool = option(
        True,
        ANY,
        "Train on whole pictures, each scaled to a square without keeping its aspect ratio "
        "(released program). Without it, on square crops as --crop_sides says.",
    )
    edge_low: float = option(
        100.0,
        NOT_NEGATIVE,
        "Edge-smoothed cartoons: Canny's lower threshold, where an edge goes on.",
    )
    edge_high: float = option(
        200.0, NOT_NEGATIVE, "Edge-smoothed cartoons: Canny's upper threshold, where one starts."
    )
    edge_dilation: int = option(
        5, _ODD, "Edge-smoothed cartoons: side in pixels of the square that widens the edges."
    )
    edge_blur: int = option(
        5, _ODD, "Edge-smoothed cartoons: side in pixels of the Gaussian that blurs the edges."
    )
    batch_size: int = with_default(TrainingConfig, "batch_size", 8)

    # The run. The program counts 20 and 200 epochs of about 676 batches.
    pretrain_steps: int = with_default(TrainingConfig, "pretrain_steps", 13_500)
    steps: int = with_default(TrainingConfig, "steps", 135_000)
    pretrain_learning_rate: float = option(
        2e-4, POSITIVE, "Adam's rate for the generator in the pre-training."
    )
    learning_rate: float = option(
        1e-5, POSITIVE, "Adam's rate for generator and discriminator in the adversarial steps."
    )
    decay: float = option(
        0.5,
        SHARE,
        "Share of each phase, at its end, in which the learning rate falls to zero in a straight "
        "line.",
    )

    # Networks.
    channels: int = option(64, POSITIVE, "Generator's channels at full size.")
    blocks: int = option(8, POSITIVE, "Generator's residual blocks.")
    discriminator_channels: int = option(
        32, POSITIVE, "Channels of the discriminator's first layer."
    )

    # Objective.
    adversarial: str = option(
        "lsgan",
        one_of("lsgan", "bce", "minimax"),
        "Adversarial loss. lsgan: least squares (released program). bce: cross-entropy. minimax: "
        "cross-entropy, and the generator minimises log(1 - D) (paper), whose gradient fades "
        "while the discriminator wins.",
    )
    content_weight: float = option(
        ACTING_CONTENT_WEIGHT,
        NOT_NEGATIVE,
        "Weight of the VGG distance between output and photo. The paper and the released program "
        "state 10, but the program's gradients act as if it were 10 / 127.5^2 = 0.000615. With 10 "
        "hardly any style appears.",
    )
    vgg_size: int = option(
        224,
        NOT_NEGATIVE,
        "Side in pixels of the squares that VGG sees; pictures are resized with aligned corners "
        "(released program). 0 shows them as they are.",
    )
    image_pool: int = option(
        50,
        NOT_NEGATIVE,
        "Number of earlier batches of outputs that are kept; every second batch that the "
        "discriminator sees is one of them (released program). They are part of a checkpoint. 0 "
        "keeps none (paper).",
    )

    def check(self) -> None:
        """See `TrainingConfig.check`."""
        if self.edge_low > self.edge_high:
            raise ValueError(
                f"edge_low is {self.edge_low}, and must not be above edge_high, {self.edge_high}"
            )
        if self.pretrain_steps and not self.content_weight:
            raise ValueError(
                "content_weight is 0, and must be more where there are pretrain_steps: they have "
                "no other loss"
            )

    def generator_settings(self) -> dict[str, Any]:
        """See `TrainingConfig.generator_settings`."""
        return {"channels": self.channels, "blocks": self.blocks}

    @classmethod
    def presets(cls) -> dict[str, CartoonGanConfig]:
        """The recipes by name.

        cartoongan: the first author's program, with the content weight that acts in it. This is
          the default because at the stated weight a user of the program saw no style.
        cartoongan_paper: what the paper states (sections 3.2 and 4): the logarithmic loss, content
          at weight 10 on the pictures' own size, and each output judged once. Where the paper gives
          no number (rates, batch, lengths), the program's.
        """
        paper = cls(
            adversarial="minimax",
            content_weight=STATED_CONTENT_WEIGHT,
            vgg_size=0,
            image_pool=0,
            decay=0.0,
        )
        return {"cartoongan": cls(), "cartoongan_paper": paper}
