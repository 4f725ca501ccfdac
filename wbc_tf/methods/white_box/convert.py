"""The authors' published weights: a TensorFlow 1 checkpoint, in BGR.

The weights are theirs, under CC BY-NC-SA 4.0: not for commercial use, and never part of this
project. `wbc_tf.methods.white_box.names` is the table of names.
"""

from __future__ import annotations

from pathlib import Path

from wbc_tf.artefact.weights import (
    assign_strictly,
    bgr_to_rgb,
    check_names_and_shapes,
    named_variables,
)
from wbc_tf.files import PathLike, download
from wbc_tf.methods.white_box import names
from wbc_tf.methods.white_box.generator import Generator, build_generator
from wbc_tf.training.spec import ConversionError, Converter
from wbc_tf.training.tf1_checkpoint import EXPECTED, find_checkpoint, origin, read_checkpoint

LICENCE = "CC BY-NC-SA 4.0 (non-commercial), Xinrui Wang and Jinze Yu, 2020"

COMMIT = "ee97277d7fd873b89e9b8e1341efe74e10dd4124"
BASE_URL = (
    "https://raw.githubusercontent.com/SystemErrorWang/White-box-Cartoonization/"
    f"{COMMIT}/test_code/saved_models"
)
#: published file -> git's SHA-1 of it as a blob, at that commit. The folder's third file,
#: ``checkpoint``, only repeats the prefix: we know it, and fetch nothing that cannot be checked.
PUBLISHED = {
    "model-33999.data-00000-of-00001": "785cdcb8a0ab9bf44171c087878cc84863562eab",
    "model-33999.index": "f1749e5542e83cf01a19aa1b2a3a7370a17efa41",
}
PREFIX = "model-33999"


def generator_from_checkpoint(prefix_or_folder: PathLike) -> Generator:
    """Our generator with the authors' weights, turned from BGR to RGB.

    Raises:
      ConversionError: no checkpoint there.
      WeightsError: any variable missing, extra or misshapen, by the authors' name.
    """
    prefix = find_checkpoint(prefix_or_folder)
    values = read_checkpoint(prefix)
    generator = build_generator()
    ours = named_variables(generator)
    variables = {released: ours[name] for released, name in names.GENERATOR.items()}
    check_names_and_shapes(variables, values, source=prefix)
    bgr_to_rgb(values, first=names.FIRST_KERNEL, last=(names.LAST_KERNEL, names.LAST_BIAS))
    assign_strictly(variables, values, source=prefix)
    return generator


def cache_folder() -> Path:
    """Where the published files are kept."""
    return download.cache_folder(f"white-box-{COMMIT[:12]}")


def fetch(base_url: str = BASE_URL) -> Path:
    """Fetches the published files that are not kept yet; returns the checkpoint's prefix.

    Args:
      base_url: the folder they lie in; another one for a mirror.

    Raises:
      ConversionError: a file could not be fetched as it was published.
    """
    folder = cache_folder()
    try:
        download.fetch_published(PUBLISHED, base_url=base_url, folder=folder)
    except download.DownloadError as error:
        raise ConversionError(
            f"{error} Without a connection, copy the published files here by hand and use "
            "--checkpoint."
        ) from error
    return folder / PREFIX


CONVERTER = Converter(
    licence=LICENCE,
    expects=EXPECTED,
    load=generator_from_checkpoint,
    metadata=lambda checkpoint: {"origin": origin(checkpoint)},
    download=lambda base_url: str(fetch(base_url)),
    base_url=BASE_URL,
)
