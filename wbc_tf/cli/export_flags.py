"""What is exported, in which form, and what the server does with a picture."""

from __future__ import annotations

import re

from absl import flags

from wbc_tf.cli.command_line import UsageError, on_topic
from wbc_tf.serving.settings import DEFAULT_SETTINGS, ENCODINGS, OUTPUT_SIZES, ServingSettings


def define_export_flags(values: flags.FlagValues) -> None:
    """Flags for `check_export_flags`, `fixed_size` and `serving_settings`."""
    topic = on_topic("What to export", values)
    flags.DEFINE_string(
        "model", None, "Model directory, or the name of one in pretrained_models/.", **topic
    )
    flags.DEFINE_string(
        "workdir",
        None,
        "A training run's folder: the moving average of the generator in its newest checkpoint is "
        "exported. Nothing else of the run is needed.",
        **topic,
    )
    flags.DEFINE_string(
        "licence",
        None,
        "Licence to state in the exported model. The default is what the source states.",
        **topic,
    )
    topic = on_topic("Where to and how", values)
    flags.DEFINE_string("output", None, "Folder to write to.", **topic)
    flags.DEFINE_string(
        "name",
        None,
        "Name under which clients ask for the model. The default is the model's or the run's own.",
        **topic,
    )
    flags.DEFINE_enum(
        "format", "saved_model", ["saved_model", "tflite", "onnx"], "What to write.", **topic
    )
    flags.DEFINE_string(
        "size",
        "free",
        "HEIGHTxWIDTH that a TensorFlow Lite or ONNX model is fixed to, or 'free'.",
        **topic,
    )
    topic = on_topic("What the server does with a picture", values)
    flags.DEFINE_integer(
        "short_side",
        None,
        "Working resolution of the server in pixels: larger pictures are reduced to this short "
        "side for the network. The default is the model's own. 0 works at the size of each "
        "picture, and needs memory in proportion to it.",
        lower_bound=0,
        **topic,
    )
    flags.DEFINE_enum(
        "output_size",
        DEFAULT_SETTINGS.output_size,
        list(OUTPUT_SIZES),
        "Size of the server's answers: that of the input, or the working resolution.",
        **topic,
    )
    flags.DEFINE_enum(
        "encoding",
        DEFAULT_SETTINGS.encoding,
        list(ENCODINGS),
        "File format of the server's answers.",
        **topic,
    )
    flags.DEFINE_integer(
        "quality",
        DEFAULT_SETTINGS.quality,
        "Quality of JPEG answers, from 1 to 100.",
        lower_bound=1,
        upper_bound=100,
        **topic,
    )


def check_export_flags(values: flags.FlagValues) -> None:
    """Raises `UsageError` for flags that are missing or do not go together."""
    if (values.model is None) == (values.workdir is None):
        raise UsageError("give either --model or --workdir")
    if values.output is None:
        raise UsageError("--output is missing: the folder to write to")
    if values.name is not None and not re.fullmatch(r"[\w.-]*\w", values.name):
        raise UsageError(f"--name={values.name}: letters, digits, '_', '-' and '.' only")


def fixed_size(values: flags.FlagValues) -> tuple[int, int] | None:
    """--size as height and width; None for 'free'.

    Raises:
      UsageError: neither 'free' nor HEIGHTxWIDTH.
    """
    if values.size == "free":
        return None
    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", values.size)
    if match is None:
        raise UsageError(f"--size is 'free' or HEIGHTxWIDTH such as 256x256, not {values.size!r}")
    return int(match[1]), int(match[2])


def serving_settings(
    values: flags.FlagValues, *, short_side: int, match_brightness: bool
) -> ServingSettings:
    """What the server does with a picture.

    Args:
      values: parsed flags.
      short_side: the model's own working resolution.
      match_brightness: the model's own.
    """
    return ServingSettings(
        short_side=short_side if values.short_side is None else values.short_side,
        output_size=values.output_size,
        encoding=values.encoding,
        quality=values.quality,
        match_brightness=match_brightness,
    )
