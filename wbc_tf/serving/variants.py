"""Model files for other programs: one in each precision, each checked against the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wbc_tf.artefact.model_directory import write_version
from wbc_tf.images import to_float, to_uint8
from wbc_tf.serving.parity import ParityError
from wbc_tf.serving.sample_photo import sample_photo


@dataclass(frozen=True)
class Tolerance:
    """Differences from the network, in grey levels, that are let through: of a pixel, and mean."""

    largest: float = 255.0
    mean: float = 255.0


@dataclass(frozen=True)
class VariantFile:
    """One file and how it compares with the network.

    Attributes:
      variant: name of the precision.
      size: of the file, in bytes.
      max_difference: in grey levels.
      mean_difference: in grey levels.
    """

    variant: str
    size: int
    max_difference: int
    mean_difference: float


def export_variants(
    directory: Path,
    variants: Mapping[str, Tolerance],
    *,
    ending: str,
    convert: Callable[[str], bytes],
    run: Callable[[bytes, np.ndarray], np.ndarray],
    network: Callable[[np.ndarray], np.ndarray],
    sizes: Sequence[tuple[int, int]],
    complete: Callable[[Path, Sequence[VariantFile]], None] | None = None,
) -> tuple[Path, list[VariantFile]]:
    """Writes the next version of a folder with a file of each variant, complete or not at all.

    Args:
      directory: ``NAME-tflite`` or ``NAME-onnx``.
      variants: name -> what is let through.
      ending: of the files' names.
      convert: variant -> the file's content.
      run: (content, photo) -> the cartoon, by the program that the file is for; both float32 [1, H,
        W, 3] in [-1, 1].
      network: photo -> the cartoon, by the network.
      sizes: height and width of the photos that both are compared on.
      complete: is called with the folder and what was found, before the folder gets its name.

    Returns:
      The new folder, and what was found for each variant.

    Raises:
      ParityError: a variant is too far off; nothing was written.
    """
    files: list[VariantFile] = []

    def write(folder: Path) -> None:
        for variant, tolerance in variants.items():
            content = convert(variant)
            name = f"{variant}{ending}"
            levels = np.concatenate(
                [_differences(name, content, run, network, size) for size in sizes]
            )
            _refuse(name, levels, tolerance)
            (folder / name).write_bytes(content)
            files.append(
                VariantFile(variant, len(content), int(levels.max()), float(levels.mean()))
            )
        if complete is not None:
            complete(folder, files)

    return write_version(directory, write), files


def _differences(
    name: str,
    content: bytes,
    run: Callable[[bytes, np.ndarray], np.ndarray],
    network: Callable[[np.ndarray], np.ndarray],
    size: tuple[int, int],
) -> np.ndarray:
    """Of every value of a sample photo's cartoon, in grey levels."""
    photo = to_float(sample_photo(*size)[None])
    drawn = run(content, photo)
    if not np.isfinite(drawn).all():
        raise ParityError(f"{name}: gives NaN or infinity. Nothing was written.")
    return np.abs(to_uint8(drawn).astype(np.int16) - to_uint8(network(photo))).ravel()


def _refuse(name: str, levels: np.ndarray, tolerance: Tolerance) -> None:
    for found, limit, words in (
        (levels.mean(), tolerance.mean, " on average"),
        (levels.max(), tolerance.largest, ""),
    ):
        if found > limit:
            raise ParityError(
                f"{name}: differs from the network by {found:.4g} grey levels{words}, above "
                f"{limit:g}. Nothing was written."
            )


def table(files: Sequence[VariantFile]) -> str:
    """The files as a Markdown table."""
    lines = [
        "| variant | size, KiB | largest difference, grey levels | mean difference |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {f.variant} | {f.size / 1024:.0f} | {f.max_difference} | {f.mean_difference:.3f} |"
        for f in files
    ]
    return "\n".join(lines)
