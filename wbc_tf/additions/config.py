"""The options that we add to a method's recipe; see `wbc_tf.additions`.

A method that takes them derives its config from `AddedFields`.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

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
class AddedFields(TrainingConfig):
    """What no paper and no released program has; see `TrainingConfig` for how to read it."""

    topic: ClassVar[str] = "Additions of this project"

    content_target: str = option(
        "photo",
        one_of("photo", "structure", "smoothed", "drawn"),
        "What the content loss and the pre-training compare the output with. photo: the photo "
        "(paper and released code). structure: regions of the photo in their mean colours. "
        "smoothed: the photo after L0 smoothing; a network finds its edges more easily than those "
        "of regions. drawn: areas of few tones with ink lines, as the drawing_ fields say.",
    )
    content_regions: tuple[float, ...] = option(
        (12.0, 25.0, 60.0),
        Check(
            "one or more numbers of at least 1",
            lambda value: len(value) > 0 and all(isinstance(v, float) and v >= 1 for v in value),
        ),
        "With --content_target=structure: Felzenszwalb's scale, which is also the least number of "
        "pixels of a region. One of these is chosen at random for each photo, because with a "
        "single value the output gets regions of one size everywhere.",
    )
    content_smoothing: float = option(
        0.05,
        POSITIVE,
        "With --content_target=smoothed: strength of the smoothing. More of it leaves fewer and "
        "larger areas.",
    )
    pixel_weight: float = option(
        0.0,
        NOT_NEGATIVE,
        "Weight of the L1 between the output and its target. It keeps tones and contours where VGG "
        "sees little.",
    )
    gradient_weight: float = option(
        0.0,
        NOT_NEGATIVE,
        "Weight of the L1 between the gradients of output and target, for flat areas and clean "
        "edges. With it, the pre-training on pixels has this term too.",
    )
    channel_mean_weight: float = option(
        0.0,
        NOT_NEGATIVE,
        "Weight of the L1 between the mean colours of output and photo, against colour casts.",
    )
    contrast_weight: float = option(
        0.0,
        NOT_NEGATIVE,
        "Weight of the L1 between the standard deviations of output and photo, channel by channel, "
        "against haze.",
    )
    gradient_count_weight: float = option(
        0.0,
        NOT_NEGATIVE,
        "Weight of the share of pixels that differ from their neighbours, for flat areas between "
        "edges.",
    )
    discriminator_rate: float = option(
        1.0,
        POSITIVE,
        "The discriminators' learning rate, as a multiple of --learning_rate. They learn nothing "
        "before the adversarial steps, so that in a short run they should learn faster than the "
        "generator (Heusel et al., NeurIPS 2017).",
    )
    pretrain_decay: bool = option(
        False,
        ANY,
        "Let the learning rate of the pre-training fall to 0 along a cosine (Loshchilov & Hutter, "
        "ICLR 2017).",
    )
    raw_weight: float = option(
        1.0,
        NOT_NEGATIVE,
        "In the pre-training on pixels, weight of the loss on the generator's own output.",
    )
    filtered_weight: float = option(
        0.0,
        NOT_NEGATIVE,
        "In the pre-training on pixels, weight of the loss on the output after the guided filter; "
        "0 leaves it out, as released.",
    )

    # Pairs of a photo and its drawing, with --content_target=drawn: see `wbc_tf.data.pairs`.
    pair_cache: str = option(
        "",
        ANY,
        "With --content_target=drawn: folder where drawn photos are kept. What is missing there is "
        "drawn first.",
        location=True,
    )
    pair_sides: tuple[int, int] = option(
        (360, 1080),
        Check(
            "two numbers of 32 or more, the smaller first",
            lambda value: len(value) == 2 and 32 <= value[0] <= value[1],
        ),
        "With --content_target=drawn: least and largest short side in pixels at which a photo is "
        "drawn.",
    )
    pair_scales: int = option(
        2, POSITIVE, "With --content_target=drawn: at how many sizes each photo is drawn."
    )
    pair_jitter: float = option(
        0.0,
        FRACTION,
        "With --content_target=drawn: how far brightness, contrast and colours of the photo (not "
        "of its drawing) vary at random.",
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
        "Colour difference in CIELAB units that the bilateral filters smooth away.",
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
        DrawingStyle.soft_step, POSITIVE, "Sharpness of the steps of lightness in soft shades."
    )
    drawing_sharp_step: float = option(
        DrawingStyle.sharp_step,
        POSITIVE,
        "Sharpness of the steps of lightness where lightness changes fast.",
    )
    drawing_steep: float = option(
        DrawingStyle.steep,
        POSITIVE,
        "Change of lightness per pixel at which the steps of lightness are sharpest.",
    )
    drawing_saturation: float = option(
        DrawingStyle.saturation, NOT_NEGATIVE, "Factor of the colours' saturation."
    )
    drawing_warmth: float = option(
        DrawingStyle.warmth,
        ANY,
        "How far light areas turn yellow and dark areas blue, in CIELAB units.",
    )
    drawing_contour: float = option(
        DrawingStyle.contour,
        POSITIVE,
        "Deviation in pixels of the smoothing along the contours of tones, which rounds them.",
    )
    drawing_crispness: float = option(
        DrawingStyle.crispness,
        NOT_NEGATIVE,
        "How much the contours of tones are sharpened after their smoothing.",
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
        "Least difference at an edge of the photo that becomes a line.",
    )
    drawing_border_threshold: float = option(
        DrawingStyle.border_threshold,
        NOT_NEGATIVE,
        "Least difference at a border between areas that becomes a line.",
    )
    drawing_line_steepness: float = option(
        DrawingStyle.line_steepness,
        POSITIVE,
        "How fast lines get darker beyond their two thresholds.",
    )
    drawing_least_line: int = option(
        DrawingStyle.least_line, NOT_NEGATIVE, "Lines of fewer pixels are left out."
    )

    def check(self) -> None:
        """See `TrainingConfig.check`."""
        super().check()
        if self.gradient_weight and not self.pixel_weight:
            raise ValueError(
                "pixel_weight is 0, and must be more where gradient_weight is: gradients alone do "
                "not say how bright a picture is"
            )
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
