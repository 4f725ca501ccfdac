"""Fields of our own, beside the paper's and the released code's; off in both presets.

The embedded model is trained with them. See `wbc_tf.methods.white_box.own_terms`.
"""

from __future__ import annotations

import dataclasses

from wbc_tf.ops.drawing import DrawingStyle
from wbc_tf.training.config import (
    ANY,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Check,
    TrainingConfig,
    one_of,
    option,
)

LIGHTNESS = Check("between 0 and 100", lambda value: 0 <= value <= 100)


@dataclasses.dataclass(frozen=True)
class OwnFields(TrainingConfig):
    """What neither the paper nor the released code has; see `TrainingConfig` for how to read it."""

    content_target: str = option(
        "photo",
        one_of("photo", "structure", "smoothed", "drawn"),
        "What the content loss and the pre-training hold the output to: the photo (paper and "
        "released code), or for flatter pictures the photo's own regions in their mean colours, "
        "or the photo L0-smoothed, whose edges a network finds more easily than a region's, or "
        "drawn: areas of few tones with ink lines, as the drawing fields say.",
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
        "With --content_target=smoothed: what a change of colour from pixel to pixel costs; more "
        "leaves fewer and larger areas.",
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
    pretrain_decay: bool = option(
        False,
        ANY,
        "Let the pre-training's rate fall to 0 along a cosine (Loshchilov & Hutter, ICLR 2017).",
    )
    raw_weight: float = option(
        1.0, NOT_NEGATIVE, "Of the generator's own output in the pre-training on pixels."
    )
    filtered_weight: float = option(
        0.0,
        NOT_NEGATIVE,
        "Of the guided-filtered output in the pre-training on pixels; released: left out.",
    )

    # Pairs of a photo and its drawing, with --content_target=drawn: see `wbc_tf.data.pairs`.
    pair_cache: str = option(
        "", ANY, "Folder where drawn photos are kept; what it lacks is drawn first.", location=True
    )
    pair_sides: tuple[int, int] = option(
        (360, 1080),
        Check(
            "two numbers of 32 or more, the smaller first",
            lambda value: len(value) == 2 and 32 <= value[0] <= value[1],
        ),
        "Least and largest short side in pixels at which a photo is drawn.",
    )
    pair_scales: int = option(2, POSITIVE, "At how many sizes each photo is drawn.")
    pair_jitter: float = option(
        0.0,
        FRACTION,
        "How far brightness, contrast and colours of a pair's photo vary at random.",
    )

    # How the photos are drawn: see `wbc_tf.ops.drawing.DrawingStyle`.
    drawing_blur: float = option(
        DrawingStyle.blur,
        POSITIVE,
        "Deviation in pixels of the bilateral filters that smooth areas.",
    )
    drawing_blur_range: float = option(
        DrawingStyle.blur_range,
        POSITIVE,
        "Colour difference in CIELAB units that these filters smooth away.",
    )
    drawing_passes: int = option(
        DrawingStyle.passes, POSITIVE, "How often areas are smoothed, across edges and along them."
    )
    drawing_along: float = option(
        DrawingStyle.along, POSITIVE, "Deviation in pixels of the smoothing along edges."
    )
    drawing_gamma: float = option(
        DrawingStyle.gamma,
        POSITIVE,
        "Power that lightness is taken to; below 1 for lighter pictures.",
    )
    drawing_black: float = option(
        DrawingStyle.black, LIGHTNESS, "Lightness that becomes black, 0 to 100."
    )
    drawing_white: float = option(
        DrawingStyle.white, LIGHTNESS, "Lightness that becomes white, 0 to 100."
    )
    drawing_levels: int = option(
        DrawingStyle.levels, POSITIVE, "Steps of lightness between black and white."
    )
    drawing_soft_step: float = option(
        DrawingStyle.soft_step, POSITIVE, "Sharpness of these steps in soft shades."
    )
    drawing_sharp_step: float = option(
        DrawingStyle.sharp_step, POSITIVE, "Sharpness of these steps where lightness changes fast."
    )
    drawing_steep: float = option(
        DrawingStyle.steep,
        POSITIVE,
        "Change of lightness per pixel at which the steps are sharpest.",
    )
    drawing_saturation: float = option(
        DrawingStyle.saturation, NOT_NEGATIVE, "What colours are multiplied by."
    )
    drawing_warmth: float = option(
        DrawingStyle.warmth,
        ANY,
        "How far lights go to yellow and shadows to blue, in CIELAB units.",
    )
    drawing_contour: float = option(
        DrawingStyle.contour,
        POSITIVE,
        "Deviation in pixels of the smoothing along the contours of tones, which rounds them.",
    )
    drawing_crispness: float = option(
        DrawingStyle.crispness, NOT_NEGATIVE, "How sharp the contours of tones are made after that."
    )
    drawing_ink: float = option(
        DrawingStyle.ink, SHARE, "How dark the lines are: 0 leaves them out, 1 is black."
    )
    drawing_line_width: float = option(
        DrawingStyle.line_width,
        POSITIVE,
        "Deviation in pixels across a line, about half its width.",
    )
    drawing_line_length: float = option(
        DrawingStyle.line_length, POSITIVE, "Deviation in pixels of the smoothing along a line."
    )
    drawing_line_threshold: float = option(
        DrawingStyle.line_threshold,
        NOT_NEGATIVE,
        "Difference from which on an edge of the photo is inked.",
    )
    drawing_border_threshold: float = option(
        DrawingStyle.border_threshold,
        NOT_NEGATIVE,
        "Difference from which on a border between areas is inked.",
    )
    drawing_line_steepness: float = option(
        DrawingStyle.line_steepness, POSITIVE, "How fast ink gets dense beyond these thresholds."
    )
    drawing_least_line: int = option(
        DrawingStyle.least_line, NOT_NEGATIVE, "Lines of fewer pixels are left out."
    )

    def check(self) -> None:
        """See `TrainingConfig.check`."""
        super().check()
        if self.content_target == "drawn" and not self.pair_cache:
            raise ValueError("pair_cache is empty, and must be a folder for the drawn photos")
        if self.drawing_black >= self.drawing_white:
            raise ValueError(
                f"drawing_black is {self.drawing_black}, and must be below drawing_white, "
                f"{self.drawing_white}"
            )

    def drawing_style(self) -> DrawingStyle:
        """The drawing fields as the filter takes them."""
        names = [field.name for field in dataclasses.fields(DrawingStyle)]
        return DrawingStyle(**{name: getattr(self, f"drawing_{name}") for name in names})
