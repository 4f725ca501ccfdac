"""Converts published weights into a model directory: ``python -m wbc_tf.convert``."""

from __future__ import annotations

import sys
from pathlib import Path

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, run_command
from wbc_tf.methods.registry import METHODS, method_spec
from wbc_tf.training.spec import ConversionError, Converter

USAGE = """
Convert an original program's published weights into a model directory of this project.

  python -m wbc_tf.convert --checkpoint=saved_models/model-33999 --output=models/authors
  python -m wbc_tf.convert --download --output=models/authors

Then: python cartoonize.py --model=models/authors --input=photos --output=cartoons

The weights are their authors' work, each under a licence of its own, which is printed and kept in
the model's metadata.
"""


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    convertible = sorted(name for name, spec in METHODS.items() if spec.converter)
    flags.DEFINE_enum(
        "method", "white_box", convertible, "Whose weights these are.", flag_values=values
    )
    flags.DEFINE_string("checkpoint", None, "The published file or checkpoint.", flag_values=values)
    flags.DEFINE_boolean(
        "download", False, "Fetch the published weights first.", flag_values=values
    )
    flags.DEFINE_string(
        "base_url",
        None,
        "Where --download finds the files, if not where the authors published them.",
        flag_values=values,
    )
    flags.DEFINE_string("output", None, "Model directory to write.", flag_values=values)
    return values


def main(values: flags.FlagValues) -> int:
    """Converts as the flags say; returns the exit status."""
    spec = method_spec(values.method)
    if values.download == (values.checkpoint is not None):
        raise UsageError("give either --checkpoint or --download")
    if values.output is None:
        raise UsageError("--output is missing: the model directory to write")
    output = Path(values.output)
    if output.is_file() or (output.is_dir() and any(output.iterdir())):
        raise UsageError(f"--output={output} is already there; choose a new folder")
    assert spec.converter is not None  # the flag offers only these
    converter = spec.converter()

    from wbc_tf.artefact.weights import WeightsError
    from wbc_tf.serving.saved_model import save_generator

    try:
        checkpoint = _checkpoint(values, converter)
        generator = converter.load(checkpoint)
        metadata = {"licence": converter.licence, **converter.metadata(checkpoint)}
    except (ConversionError, WeightsError, OSError) as error:  # OSError: a cache we may not write
        print(error, file=sys.stderr)
        return FAILED
    version = save_generator(spec.exported(), generator, output, metadata=metadata)
    print(f"{version}: converted from {metadata['origin']}\nLicence: {metadata['licence']}")
    return OK


def _checkpoint(values: flags.FlagValues, converter: Converter) -> str:
    if not values.download:
        return str(values.checkpoint)
    if converter.download is None:
        raise UsageError(
            f"--download: nothing of {values.method} can be fetched and checked; give "
            f"--checkpoint, {converter.expects}"
        )
    return converter.download(values.base_url or converter.base_url)


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
