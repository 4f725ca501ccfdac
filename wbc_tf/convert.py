"""Converts the authors' published weights: ``python -m wbc_tf.convert``.

The weights are theirs, under CC BY-NC-SA 4.0: not for commercial use, and never part of this
project. See `wbc_tf.methods.white_box.checkpoint_names` for the table of names.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags
from tqdm import tqdm

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, run_command
from wbc_tf.files import PathLike

if TYPE_CHECKING:
    import numpy as np

    from wbc_tf.methods.white_box.generator import Generator

USAGE = """
Convert the authors' TensorFlow 1 checkpoint into a model directory of this project.

  python -m wbc_tf.convert --checkpoint=saved_models/model-33999 --output=models/authors
  python -m wbc_tf.convert --download [--output=models/authors]

Then: python cartoonize.py --model=models/authors --input=photos --output=cartoons
"""

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
_TIMEOUT_SECONDS = 30


class ConversionError(Exception):
    """Weights that could not be fetched or read; the message says which and what to do."""


def find_checkpoint(prefix_or_folder: PathLike) -> str:
    """The checkpoint prefix that is meant: itself, or the latest one of a folder.

    Raises:
      ConversionError: no checkpoint there.
    """
    import tensorflow as tf

    path = Path(prefix_or_folder)
    prefix = tf.train.latest_checkpoint(str(path)) if path.is_dir() else str(path)
    if prefix is None or not Path(f"{prefix}.index").is_file():
        raise ConversionError(
            f"{path}: no TensorFlow checkpoint. Give the prefix of its files (such as "
            f"saved_models/{PREFIX}, with {PREFIX}.index beside it) or the folder with them."
        )
    return str(prefix)


def generator_from_checkpoint(prefix_or_folder: PathLike) -> Generator:
    """Our generator with the authors' weights, turned from BGR to RGB.

    Raises:
      ConversionError: no checkpoint there.
      WeightsError: any variable missing, extra or misshapen, by the authors' name.
    """
    import tensorflow as tf

    from wbc_tf.artefact.weights import assign_strictly, check_names_and_shapes, named_variables
    from wbc_tf.methods.white_box import checkpoint_names
    from wbc_tf.methods.white_box.generator import build_generator

    prefix = find_checkpoint(prefix_or_folder)
    try:
        reader = tf.train.load_checkpoint(prefix)
        values = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, ValueError, IndexError) as error:  # IndexError: a data file cut off
        raise ConversionError(f"{prefix}: unreadable checkpoint ({error})") from error
    generator = build_generator()
    ours = named_variables(generator)
    variables = {released: ours[name] for released, name in checkpoint_names.GENERATOR.items()}
    check_names_and_shapes(variables, values, source=prefix)
    _bgr_to_rgb(values)
    assign_strictly(variables, values, source=prefix)
    return generator


def _bgr_to_rgb(values: dict[str, np.ndarray]) -> None:
    from wbc_tf.methods.white_box import checkpoint_names as names

    values[names.FIRST_KERNEL] = values[names.FIRST_KERNEL][:, :, ::-1]
    for name in (names.LAST_KERNEL, names.LAST_BIAS):
        values[name] = values[name][..., ::-1]


def cache_folder() -> Path:
    """Where the published files are kept: ``$XDG_CACHE_HOME/wbc_tf``, by default in ~/.cache."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "wbc_tf" / f"white-box-{COMMIT[:12]}"


def download(*, base_url: str = BASE_URL, folder: PathLike | None = None) -> Path:
    """Fetches the published files that are not cached yet, each checked against its hash.

    Args:
      base_url: the folder they lie in; another one for a mirror.
      folder: where to keep them; `cache_folder()` when None.

    Returns:
      The checkpoint's prefix.

    Raises:
      ConversionError: no answer, a cut-off body or another content than published; the file in
        question is not kept.
    """
    folder = Path(folder) if folder else cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    for name, sha1 in PUBLISHED.items():
        target = folder / name
        if not (target.is_file() and git_blob_sha1(target) == sha1):
            _fetch(f"{base_url.rstrip('/')}/{name}", target, sha1=sha1)
    return folder / PREFIX


def git_blob_sha1(path: PathLike) -> str:
    """The SHA-1 by which git names a file's content."""
    path = Path(path)
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size)
    digest.update(path.read_bytes())
    return digest.hexdigest()


def _fetch(url: str, target: Path, *, sha1: str) -> None:
    handle, temporary = tempfile.mkstemp(prefix=".download-", dir=target.parent)
    partial = Path(temporary)
    try:
        with (
            os.fdopen(handle, "wb") as stream,
            urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response,
        ):
            length = int(response.headers.get("Content-Length") or 0)
            with tqdm(total=length or None, unit="B", unit_scale=True, desc=target.name) as bar:
                while chunk := response.read(1 << 16):
                    stream.write(chunk)
                    bar.update(len(chunk))
        received = partial.stat().st_size
        if length and received != length:
            raise ConversionError(
                f"{url}: cut off after {received} of {length} bytes. Nothing was kept; try again."
            )
        if git_blob_sha1(partial) != sha1:
            raise ConversionError(
                f"{url}: not the published file (git blob {git_blob_sha1(partial)}, expected "
                f"{sha1}). Nothing was kept; a proxy or mirror may have changed it."
            )
        os.replace(partial, target)
    except (OSError, HTTPException, ValueError) as error:  # ValueError: what is no URL at all
        reason = getattr(error, "reason", None) or error
        raise ConversionError(
            f"{url}: could not be fetched ({reason}). Without a connection, copy the published "
            "files here by hand and use --checkpoint."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    flags.DEFINE_string(
        "checkpoint", None, "The TensorFlow 1 checkpoint: its prefix or folder.", flag_values=values
    )
    flags.DEFINE_boolean(
        "download", False, "Fetch the published checkpoint first.", flag_values=values
    )
    flags.DEFINE_string(
        "base_url", BASE_URL, "Where --download finds the files (a mirror).", flag_values=values
    )
    flags.DEFINE_string(
        "output",
        None,
        "Model directory to write; with --download it may be left out (models/authors).",
        flag_values=values,
    )
    return values


def main(values: flags.FlagValues) -> int:
    """Converts as the flags say; returns the exit status."""
    if values.download == (values.checkpoint is not None):
        raise UsageError("give either --checkpoint or --download")
    if values.output is None and not values.download:
        raise UsageError("--output is missing: the model directory to write")
    output = Path(values.output or Path("models", "authors"))
    if output.is_file() or (output.is_dir() and any(output.iterdir())):
        raise UsageError(f"--output={output} is already there; choose a new folder")

    from wbc_tf.artefact.weights import WeightsError
    from wbc_tf.methods.white_box import serving

    try:
        checkpoint = download(base_url=values.base_url) if values.download else values.checkpoint
        generator = generator_from_checkpoint(checkpoint)
    except (ConversionError, WeightsError, OSError) as error:  # OSError: a cache we may not write
        print(error, file=sys.stderr)
        return FAILED
    origin = f"the authors' checkpoint {Path(find_checkpoint(checkpoint)).name}"
    version = serving.save(generator, output, metadata={"licence": LICENCE, "origin": origin})
    print(f"{version}: converted from {origin}\nLicence: {LICENCE}")
    return OK


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
