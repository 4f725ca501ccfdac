"""Reading a published TensorFlow 1 checkpoint, for the methods' converters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from wbc_tf.files import PathLike
from wbc_tf.training.spec import ConversionError

#: What ``--checkpoint`` names, see `wbc_tf.training.spec.Converter`.
EXPECTED = "the TensorFlow 1 checkpoint: the prefix of its files, or their folder"


def find_checkpoint(prefix_or_folder: PathLike) -> str:
    """The checkpoint prefix that is meant: itself, or the latest one of a folder.

    Raises:
      ConversionError: no checkpoint there.
    """
    path = Path(prefix_or_folder)
    prefix = tf.train.latest_checkpoint(str(path)) if path.is_dir() else str(path)
    if prefix is None or not Path(f"{prefix}.index").is_file():
        raise ConversionError(
            f"{path}: no TensorFlow checkpoint. Give the prefix of its files (such as "
            "saved_models/model-33999, with model-33999.index beside it), or the folder with them "
            "and with the file named checkpoint."
        )
    return str(prefix)


def origin(prefix_or_folder: PathLike) -> str:
    """What ``model.json`` says of where the weights come from."""
    return f"the authors' checkpoint {Path(find_checkpoint(prefix_or_folder)).name}"


def read_checkpoint(prefix: str) -> dict[str, np.ndarray]:
    """All variables by the names in the checkpoint.

    Args:
      prefix: as `find_checkpoint` gives it.

    Raises:
      ConversionError: damaged files.
    """
    try:
        reader = tf.train.load_checkpoint(prefix)
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, ValueError, IndexError) as error:  # IndexError: a data file cut off
        raise ConversionError(f"{prefix}: unreadable checkpoint ({error})") from error
