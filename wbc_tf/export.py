"""Exports a model for TensorFlow Serving or TensorFlow Lite: ``python -m wbc_tf.export``."""

from __future__ import annotations

import sys
from pathlib import Path

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, run_command
from wbc_tf.cli.export_flags import (
    check_export_flags,
    define_export_flags,
    fixed_size,
    serving_settings,
)

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
    define_export_flags(values)
    return values


def main(values: flags.FlagValues) -> int:
    """Exports as the flags say; returns the exit status."""
    check_export_flags(values)
    size = fixed_size(values)

    # TensorFlow takes seconds to import. An error in the flags is told before that.
    from wbc_tf.artefact.model_directory import ModelNotFoundError
    from wbc_tf.artefact.weights import WeightsError
    from wbc_tf.methods.exporting import ExportError, export_files, export_server, source_of
    from wbc_tf.methods.runs import RunNotFoundError
    from wbc_tf.serving.parity import ParityError

    try:
        source = source_of(model=values.model, workdir=values.workdir, licence=values.licence)
        directory = Path(values.output) / (values.name or source.name)
        if values.format == "saved_model":
            settings = serving_settings(
                values,
                short_side=source.short_side,
                match_brightness=source.metadata.get("match_brightness", False),
            )
            version, told = export_server(source, directory, settings)
        else:
            directory = directory.with_name(f"{directory.name}-{values.format}")
            version, told = export_files(source, directory, values.format, size=size)
    except (ModelNotFoundError, RunNotFoundError) as error:
        raise UsageError(str(error)) from error
    except (ExportError, ParityError, WeightsError, OSError) as error:
        print(error, file=sys.stderr)
        return FAILED
    print(f"{told}\n\n{version}: from {source.described}\nLicence: {source.metadata['licence']}")
    return OK


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
