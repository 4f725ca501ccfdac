"""How pictures are drawn and written."""

from __future__ import annotations

from absl import flags

from wbc_tf.cli.command_line import on_topic
from wbc_tf.inference.settings import DrawSettings

_TOPIC = "The cartoon"


def define_picture_flags(values: flags.FlagValues) -> None:
    """Flags for `draw_settings`, and --quality and --max_megapixels."""
    topic = on_topic(_TOPIC, values)
    flags.DEFINE_integer(
        "short_side",
        None,
        "Working resolution: larger pictures are reduced to this short side, in pixels, for the "
        "network. 0 works at the size of each picture. The default is the model's own.",
        lower_bound=0,
        **topic,
    )
    flags.DEFINE_enum(
        "output_size",
        "input",
        ["input", "working"],
        "Size of the results: that of the input, or the working resolution.",
        **topic,
    )
    flags.DEFINE_float(
        "strength",
        1.0,
        "How far to go from the photo to the cartoon: 0 is the photo, 1 the cartoon, and up to 1.5 "
        "goes beyond it.",
        lower_bound=0.0,
        upper_bound=1.5,
        **topic,
    )
    flags.DEFINE_float(
        "delta",
        None,
        "How much of the smoothing filter behind the network is applied, from 0 to 1. Less is "
        "sharper. The default is the model's own.",
        lower_bound=0.0,
        upper_bound=1.0,
        **topic,
    )
    flags.DEFINE_boolean(
        "match_brightness",
        None,
        "Make each result as bright as its input, by one factor for the whole picture. The default "
        "is the model's own.",
        **topic,
    )
    define_file_flags(values)


def define_file_flags(values: flags.FlagValues) -> None:
    """The flags that concern picture files: --quality and --max_megapixels."""
    topic = on_topic(_TOPIC, values)
    flags.DEFINE_integer(
        "quality",
        95,
        "Quality of JPEG and WebP files, from 1 to 100.",
        lower_bound=1,
        upper_bound=100,
        **topic,
    )
    flags.DEFINE_float(
        "max_megapixels",
        200.0,
        "Refuse larger pictures (all frames of an animation together) and videos with larger "
        "frames. A small file can hold more pixels than fit into memory. Raise it for files that "
        "you trust.",
        lower_bound=0.000001,
        **topic,
    )


def draw_settings(values: flags.FlagValues) -> DrawSettings:
    """How to draw, by the flags of `define_picture_flags`."""
    return DrawSettings(
        short_side=values.short_side,
        output_size=values.output_size,
        strength=values.strength,
        delta=values.delta,
        match_brightness=values.match_brightness,
    )


def max_pixels(values: flags.FlagValues) -> int:
    """--max_megapixels in pixels."""
    return round(values.max_megapixels * 1e6)
