"""The authors' published weights: a TensorFlow 1 checkpoint, in BGR.

The weights are theirs, under CC BY-NC-SA 4.0: not for commercial use, and never part of this
project. `wbc_tf.methods.white_box.names` is the table of names.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from wbc_tf.artefact.weights import assign_strictly, check_names_and_shapes, named_variables
from wbc_tf.files import PathLike
from wbc_tf.methods.white_box import names
from wbc_tf.methods.white_box.generator import Generator, build_generator
from wbc_tf.training.spec import ConversionError, Converter
from wbc_tf.training.tf1_checkpoint import find_checkpoint, read_checkpoint

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
    _bgr_to_rgb(values)
    assign_strictly(variables, values, source=prefix)
    return generator


def _bgr_to_rgb(values: dict[str, np.ndarray]) -> None:

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


def _metadata(checkpoint: str) -> dict[str, Any]:
    return {"origin": f"the authors' checkpoint {Path(find_checkpoint(checkpoint)).name}"}


CONVERTER = Converter(
    licence=LICENCE,
    expects="the TensorFlow 1 checkpoint: the prefix of its files, or their folder",
    load=generator_from_checkpoint,
    metadata=_metadata,
    download=lambda base_url: str(download(base_url=base_url)),
    base_url=BASE_URL,
)
