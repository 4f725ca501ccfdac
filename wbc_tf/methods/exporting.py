"""From a model or a training run to what a server or a phone runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from wbc_tf.artefact.exported import Exported, load_generator
from wbc_tf.artefact.model_directory import find_model, model_name, read_metadata
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.methods.registry import METHODS
from wbc_tf.methods.runs import RunError, TrainedGenerator, run_metadata
from wbc_tf.serving.onnx import export_onnx
from wbc_tf.serving.parity import check_parity
from wbc_tf.serving.saved_model import save_generator
from wbc_tf.serving.settings import ServingSettings
from wbc_tf.serving.tflite import export_tflite
from wbc_tf.serving.variants import table
from wbc_tf.serving.warmup import write_warmup


class ExportError(Exception):
    """A run or model that cannot be exported; the message says which and what to do."""


@dataclass(frozen=True)
class Source:
    """What is exported.

    Attributes:
      name: under which clients ask for it, unless they are given another.
      described: where it comes from, for people.
      exported: of its method.
      generator: with its weights.
      metadata: what ``model.json`` says beside what the method says.
    """

    name: str
    described: str
    exported: Exported
    generator: tf.keras.Model
    metadata: dict[str, Any]

    def stated(self) -> dict[str, Any]:
        """All that ``model.json`` will say: of the method, and beside it."""
        return {**self.exported.metadata(self.generator), **self.metadata}

    @property
    def short_side(self) -> int:
        """The model's own working resolution."""
        return int(self.metadata.get("short_side", self.exported.short_side))


def source_of(*, model: str | None, workdir: str | None, licence: str | None) -> Source:
    """The model or the run that a user names; just one of the two.

    Args:
      model: name or path of a model directory.
      workdir: folder of a run; its newest checkpoint is taken.
      licence: in place of the one that the source states.

    Raises:
      ModelNotFoundError, RunNotFoundError: nothing there.
      ExportError: of a method that this version does not know; a run without a checkpoint.
      WeightsError: weights of another network.
    """
    source = _from_model(model) if model is not None else _from_run(str(workdir))
    if licence is not None:
        source.metadata["licence"] = licence
    return source


def _from_model(model: str) -> Source:
    version = find_model(model)
    metadata = read_metadata(version)
    if metadata["method"] not in METHODS:
        raise ExportError(f"{version}: of method '{metadata['method']}', unknown here")
    exported = METHODS[metadata["method"]].exported()
    generator = load_generator(exported, version)
    # What follows from the network is said anew.
    again = {"method", "generator", "serving", "reach", "bytes_per_pixel", "halo", "size_multiple"}
    kept = {name: value for name, value in metadata.items() if name not in again}
    return Source(model_name(version), str(version), exported, generator, kept)


def _from_run(workdir: str) -> Source:
    try:
        trained = TrainedGenerator(workdir)
        step = trained.restore()
    except RunError as error:
        raise ExportError(str(error)) from error
    except FileNotFoundError as error:
        if (Path(workdir) / "config.json").is_file():
            raise ExportError(f"{workdir}: no checkpoint yet ({error})") from error
        raise
    return Source(
        Path(workdir).resolve().name,
        f"{workdir}, step {step}",
        trained.record.spec.exported(),
        trained.averaged(),
        run_metadata(trained.record, step=step),
    )


def export_server(source: Source, directory: Path, settings: ServingSettings) -> tuple[Path, str]:
    """Writes ``directory/<version>/`` for TensorFlow Serving, checked against the network.

    Args:
      source: what to export.
      directory: ``NAME``.
      settings: what the server does with a picture.

    Returns:
      The version's folder, and what the check found, for people.

    Raises:
      ParityError: the saved model answers otherwise than the network; nothing was written.
      ExportError: the extra for warm-up records is missing; nothing was written.
    """
    coefficients = partial(source.exported.coefficients, source.generator)
    stated = source.stated()
    cartoonizer = Cartoonizer(
        lambda **inputs: dict(zip(("scale", "offset"), coefficients(**inputs))), metadata=stated
    )
    told = ""

    def complete(version: Path) -> None:
        nonlocal told
        cartoonize = partial(
            cartoonizer, short_side=settings.short_side, output_size=settings.output_size
        )
        found = check_parity(version, coefficients, settings, cartoonize=cartoonize)
        told = (
            f"Against the network: predict_float differs by {found.float_difference:.1e} at most, "
            f"pictures by {found.level_difference} of 255."
        )
        try:
            write_warmup(version, model_name=directory.name)
        except ImportError as error:
            raise ExportError(
                f"warm-up records need the extra [serving]: pip install 'wbc_tf[serving]' ({error})"
            ) from error

    version = save_generator(
        source.exported,
        source.generator,
        directory,
        metadata=source.metadata,
        settings=settings,
        complete=complete,
    )
    return version, told


def export_files(
    source: Source, directory: Path, file_format: str, *, size: tuple[int, int] | None
) -> tuple[Path, str]:
    """Writes ``directory/<version>/`` with files for other programs than TensorFlow.

    Args:
      source: what to export.
      directory: ``NAME-tflite`` or ``NAME-onnx``.
      file_format: "tflite" or "onnx".
      size: height and width of every picture; None leaves them free.

    Returns:
      The version's folder, and a table of the files, for people.

    Raises:
      ParityError: a file is too far off; nothing was written.
      ExportError: the extra is missing; nothing was written.
    """
    export = {"tflite": export_tflite, "onnx": export_onnx}[file_format]
    coefficients = partial(source.exported.coefficients, source.generator)
    try:
        version, files = export(directory, coefficients, size=size, metadata=source.stated())
    except ImportError as error:
        raise ExportError(
            f"{file_format} files need the extra [{file_format}]: "
            f"pip install 'wbc_tf[{file_format}]' ({error})"
        ) from error
    return version, table(files)
