"""Exports a model for TensorFlow Serving or TensorFlow Lite: ``python -m wbc_tf.export``."""

from __future__ import annotations

import re
import sys
import tempfile
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, run_command
from wbc_tf.methods.registry import (
    METHODS,
    RunError,
    RunNotFoundError,
    method_of_run,
    serving_module,
)
from wbc_tf.serving.settings import ENCODINGS, OUTPUT_SIZES, ServingSettings

USAGE = """
Export a model for a server or a phone.

  python -m wbc_tf.export --model=white_box --output=exported
  python -m wbc_tf.export --workdir=runs/mine --output=exported --encoding=jpeg
  python -m wbc_tf.export --model=white_box --output=exported --format=tflite --tflite_size=256x256

The first two write exported/NAME/<version>/, complete or not at all, ready for TensorFlow Serving;
what the server does with a picture is fixed here. The third writes exported/NAME-tflite/<version>/.
NAME is the model's or the run's own unless --name gives another.
"""


class ExportError(Exception):
    """A run or model that cannot be exported; the message says which and what to do."""


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
        "A training run's folder: its newest checkpoint is taken, and of the generator the moving "
        "average. The pictures that it trained on must still be there.",
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
        "format", "saved_model", ["saved_model", "tflite"], "What to write.", flag_values=values
    )
    defaults = ServingSettings()
    flags.DEFINE_integer(
        "short_side",
        defaults.short_side,
        "Working resolution of the server, see cartoonize.py. 0 works at each picture's own size, "
        "and takes memory by it.",
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
        "tflite_size",
        "free",
        "HEIGHTxWIDTH that a TensorFlow Lite model is fixed to, or 'free'.",
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
    lite_size = _lite_size(values.tflite_size)

    from wbc_tf.artefact.model_directory import (
        ModelNotFoundError,
        find_model,
        model_name,
        read_metadata,
    )
    from wbc_tf.artefact.weights import WeightsError
    from wbc_tf.serving.parity import ParityError

    with tempfile.TemporaryDirectory(prefix="wbc-export-") as scratch:
        try:
            if values.model is not None:
                version = find_model(values.model)
                name = values.name or model_name(version)
                metadata = read_metadata(version)
            else:
                name = values.name or Path(values.workdir).resolve().name
                version, metadata = _model_of_run(Path(values.workdir), Path(scratch))
            if metadata["method"] not in METHODS:
                raise ExportError(f"{version}: of method '{metadata['method']}', unknown here")
        except ModelNotFoundError as error:
            raise UsageError(str(error)) from error
        except (ExportError, WeightsError) as error:
            print(error, file=sys.stderr)
            return FAILED
        if values.licence is not None:
            metadata = {**metadata, "licence": values.licence}
        module = serving_module(metadata["method"])
        try:
            if values.format == "tflite":
                return _export_tflite(
                    module, version, metadata, Path(values.output), name, lite_size
                )
            settings = ServingSettings(
                short_side=values.short_side,
                output_size=values.output_size,
                encoding=values.encoding,
                quality=values.quality,
            )
            return _export_saved_model(
                module, version, metadata, Path(values.output), name, settings
            )
        except (ExportError, ParityError, WeightsError, OSError) as error:
            print(error, file=sys.stderr)
            return FAILED


def _lite_size(text: str) -> tuple[int, int] | None:
    if text == "free":
        return None
    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if match is None:
        raise UsageError(f"--tflite_size is 'free' or HEIGHTxWIDTH such as 256x256, not {text!r}")
    return int(match[1]), int(match[2])


def _model_of_run(workdir: Path, scratch: Path) -> tuple[Path, dict[str, Any]]:
    """A run's newest checkpoint as a model directory's version, and what is known of the run."""
    from wbc_tf.artefact.model_directory import find_model, read_metadata
    from wbc_tf.training.checkpoints import RunCheckpoints

    try:
        method, document = method_of_run(workdir)
        step = RunCheckpoints(workdir / "checkpoints", method.state()).restore()
    except RunNotFoundError as error:
        raise UsageError(f"--workdir={error}") from error
    except RunError as error:
        raise ExportError(str(error)) from error
    except FileNotFoundError as error:
        raise ExportError(f"{workdir}: no checkpoint yet ({error})") from error
    method.export(scratch / "run")
    version = find_model(scratch / "run")
    known = {
        "config": document["config"],
        "training_commit": document.get("commit", "not recorded"),
        "step": step,
    }
    return version, {**read_metadata(version), **known}


def _export_saved_model(
    module: ModuleType,
    source: Path,
    metadata: dict[str, Any],
    output: Path,
    name: str,
    settings: ServingSettings,
) -> int:
    from wbc_tf.inference.cartoonizer import Cartoonizer
    from wbc_tf.serving.parity import check_parity
    from wbc_tf.serving.warmup import write_warmup

    generator = module.load_generator(source)
    coefficients = partial(module.coefficients, generator)
    cartoonizer = Cartoonizer(
        lambda photo: dict(zip(("scale", "offset"), coefficients(photo))), metadata={}
    )

    def complete(version: Path) -> None:
        cartoonize = partial(
            cartoonizer, short_side=settings.short_side, output_size=settings.output_size
        )
        found = check_parity(version, coefficients, settings, cartoonize=cartoonize)
        print(
            f"Against the network: predict_float differs by {found.float_difference:.1e} at most, "
            f"pictures by {found.level_difference} of 255."
        )
        try:
            write_warmup(version, model_name=name)
        except ImportError as error:
            raise ExportError(
                f"warm-up records need the extra [serving]: pip install 'wbc_tf[serving]' ({error})"
            ) from error

    kept = {k: v for k, v in metadata.items() if k not in ("method", "generator", "serving")}
    version = module.save(
        generator, output / name, metadata=kept, settings=settings, complete=complete
    )
    print(f"{version}: from {source}\nLicence: {metadata['licence']}")
    return OK


def _export_tflite(
    module: ModuleType,
    source: Path,
    metadata: dict[str, Any],
    output: Path,
    name: str,
    size: tuple[int, int] | None,
) -> int:
    from wbc_tf.serving.tflite import export_tflite, table

    generator = module.load_generator(source)
    version, rows = export_tflite(
        output / f"{name}-tflite",
        partial(module.coefficients, generator),
        version=source,
        size=size,
        metadata=metadata,
    )
    print(f"{table(rows)}\n\n{version}: from {source}\nLicence: {metadata['licence']}")
    return OK


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
