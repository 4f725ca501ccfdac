"""Exports a model for TensorFlow Serving or TensorFlow Lite: ``python -m wbc_tf.export``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, run_command
from wbc_tf.serving.settings import ENCODINGS, OUTPUT_SIZES, ServingSettings

USAGE = """
Export a model for a server or a phone.

  python -m wbc_tf.export --model=white_box --output=exported
  python -m wbc_tf.export --workdir=runs/mine --output=exported --encoding=jpeg
  python -m wbc_tf.export --model=white_box --output=exported --format=tflite --size=256x256
  python -m wbc_tf.export --model=white_box --output=exported --format=onnx

The first two write exported/NAME/<version>/, complete or not at all, ready for TensorFlow Serving;
what the server does with a picture is fixed here. The third writes exported/NAME-tflite/<version>/,
the fourth exported/NAME-onnx/<version>/.
NAME is the model's or the run's own unless --name gives another.
"""


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    flags.DEFINE_string(
        "model",
        None,
        "Model directory, or the name of one in pretrained_models/.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "workdir",
        None,
        "A training run's folder: the moving average of the generator in its newest checkpoint is "
        "exported. Nothing else of the run is needed.",
        flag_values=values,
    )
    flags.DEFINE_string("output", None, "Folder to write to.", flag_values=values)
    flags.DEFINE_string(
        "name", None, "Under which clients will ask for the model.", flag_values=values
    )
    flags.DEFINE_string(
        "licence",
        None,
        "Licence to state in the exported model; as the source states it unless given.",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "format",
        "saved_model",
        ["saved_model", "tflite", "onnx"],
        "What to write.",
        flag_values=values,
    )
    defaults = ServingSettings()
    flags.DEFINE_integer(
        "short_side",
        None,
        "Working resolution of the server in pixels: larger pictures are reduced to this short "
        "side for the network. By default the model's own. 0 works at each picture's own size, and "
        "takes memory by it.",
        lower_bound=0,
        flag_values=values,
    )
    flags.DEFINE_enum(
        "output_size",
        defaults.output_size,
        list(OUTPUT_SIZES),
        "Size of the server's answers, see cartoonize.py.",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "encoding",
        defaults.encoding,
        list(ENCODINGS),
        "File format of the server's answers.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "quality",
        defaults.quality,
        "Quality of JPEG answers.",
        lower_bound=1,
        upper_bound=100,
        flag_values=values,
    )
    flags.DEFINE_string(
        "size",
        "free",
        "HEIGHTxWIDTH that a TensorFlow Lite or ONNX model is fixed to, or 'free'.",
        flag_values=values,
    )
    return values


def main(values: flags.FlagValues) -> int:
    """Exports as the flags say; returns the exit status."""
    if (values.model is None) == (values.workdir is None):
        raise UsageError("give either --model or --workdir")
    if values.output is None:
        raise UsageError("--output is missing: the folder to write to")
    if values.name is not None and not re.fullmatch(r"[\w.-]*\w", values.name):
        raise UsageError(f"--name={values.name}: letters, digits, '_', '-' and '.' only")
    size = _size(values.size)

    from wbc_tf.artefact.model_directory import ModelNotFoundError
    from wbc_tf.artefact.weights import WeightsError
    from wbc_tf.methods.exporting import (
        ExportError,
        export_lite,
        export_open,
        export_server,
        source_of,
    )
    from wbc_tf.methods.runs import RunNotFoundError
    from wbc_tf.serving.parity import ParityError

    try:
        source = source_of(model=values.model, workdir=values.workdir, licence=values.licence)
        name, output = values.name or source.name, Path(values.output)
        if values.format == "tflite":
            version, told = export_lite(source, output / f"{name}-tflite", size=size)
        elif values.format == "onnx":
            version, told = export_open(source, output / f"{name}-onnx", size=size)
        else:
            short_side = values.short_side
            settings = ServingSettings(
                short_side=source.short_side if short_side is None else short_side,
                output_size=values.output_size,
                encoding=values.encoding,
                quality=values.quality,
                match_brightness=source.metadata.get("match_brightness", False),
            )
            version, told = export_server(source, output / name, settings)
    except (ModelNotFoundError, RunNotFoundError) as error:
        raise UsageError(str(error)) from error
    except (ExportError, ParityError, WeightsError, OSError) as error:
        print(error, file=sys.stderr)
        return FAILED
    print(f"{told}\n\n{version}: from {source.described}\nLicence: {source.metadata['licence']}")
    return OK


def _size(text: str) -> tuple[int, int] | None:
    if text == "free":
        return None
    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if match is None:
        raise UsageError(f"--size is 'free' or HEIGHTxWIDTH such as 256x256, not {text!r}")
    return int(match[1]), int(match[2])


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
