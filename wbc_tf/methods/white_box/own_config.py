"""Fields of our own, beside the paper's and the released code's; off in both presets.

The embedded model is trained with them. See `wbc_tf.methods.white_box.own_terms`.
"""

from __future__ import annotations

import dataclasses

from wbc_tf.training.config import NOT_NEGATIVE, POSITIVE, Check, TrainingConfig, one_of, option


@dataclasses.dataclass(frozen=True)
class OwnFields(TrainingConfig):
    """What neither the paper nor the released code has; see `TrainingConfig` for how to read it."""

    content_target: str = option(
        "photo",
        one_of("photo", "structure", "smoothed", "drawn"),
        "What the content loss and the pre-training hold the output to: the photo (paper and "
        "released code), or for flatter pictures the photo's own regions in their mean colours, "
        "or the photo L0-smoothed, whose edges a network finds more easily than a region's, or "
        "drawn: smoothed, a little livelier, with dark contours.",
    )
    content_regions: tuple[float, ...] = option(
        (12.0, 25.0, 60.0),
        Check(
            "one or more numbers of at least 1",
            lambda value: len(value) > 0 and all(isinstance(v, float) and v >= 1 for v in value),
        ),
        "With --content_target=structure: Felzenszwalb's scale, and the least pixels of a region, "
        "drawn anew from these for each photo, or the output takes on one grain.",
    )
    content_smoothing: float = option(
        0.05,
        POSITIVE,
        "With --content_target=smoothed or drawn: what a change of colour from pixel to pixel "
        "costs; more leaves fewer and larger areas.",
    )
    content_ink: float = option(
        0.8,
        Check("between 0 and 1", lambda value: 0 <= value <= 1),
        "With --content_target=drawn: how dark the contours are, 1 is black.",
    )
    content_gamma: float = option(
        1.0,
        POSITIVE,
        "With --content_target=drawn: the power that tones are taken to; below 1 for lighter "
        "pictures, as comics are lighter than photos.",
    )
    content_contrast: float = option(
        0.15,
        Check("between -1 and 1", lambda value: -1 <= value <= 1),
        "With --content_target=drawn: how far tones then go along an S-curve; below 0 for softer "
        "contrasts, black and white stay.",
    )
    pixel_weight: float = option(
        0.0,
        NOT_NEGATIVE,
        "Of the L1 between the output and its target, which keeps tones and contours where VGG "
        "sees little; neither the paper nor the released code has it.",
    )
    gradient_weight: float = option(
        0.0,
        NOT_NEGATIVE,
        "Of the L1 between the gradients of output and target, for flat areas and clean edges; "
        "with it, the pre-training on pixels has both terms. Likewise our own.",
    )
    channel_mean_weight: float = option(
        0.0,
        NOT_NEGATIVE,
        "Of the L1 between the mean colours of output and photo, against colour casts; neither the "
        "paper nor the released code has it.",
    )
    contrast_weight: float = option(
        0.0,
        NOT_NEGATIVE,
        "Of the L1 between the deviations of output and photo, channel by channel, against haze; "
        "not in the paper or the released code either.",
    )
    gradient_count_weight: float = option(
        0.0,
        NOT_NEGATIVE,
        "Of the share of pixels that differ from their neighbours, for flat areas between edges; "
        "likewise our own.",
    )
    discriminator_rate: float = option(
        1.0,
        POSITIVE,
        "Times --learning_rate is the discriminators' own. They learn nothing before the "
        "adversarial steps, so a short run wants them faster than the generator (Heusel et al., "
        "NeurIPS 2017); neither the paper nor the released code has it.",
    )
