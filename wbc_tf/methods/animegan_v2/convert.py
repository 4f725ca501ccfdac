"""The authors' published weights: TensorFlow 1 checkpoints of either generator, in RGB.

The weights are theirs, for non-commercial use only, and never part of this project.
`wbc_tf.methods.animegan_v2.names` is the table of names. They are not fetched by the command: no
hash of the published files is known here that could be checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from wbc_tf.artefact.weights import assign_strictly, named_variables
from wbc_tf.methods.animegan_v2.generator import Generator, build_generator
from wbc_tf.methods.animegan_v2.names import GENERATORS, network_of
from wbc_tf.training.spec import ConversionError, Converter

LICENCE = (
    "AnimeGANv2 by Jie Chen, Gang Liu and Xin Chen: free for non-commercial purposes such as "
    "academic research, teaching and scientific publications; for commercial use ask the authors"
)


def generator_from_checkpoint(prefix_or_folder: str) -> Generator:
    """Our generator with the authors' weights; the variables tell which of the two it is.

    Raises:
      ConversionError: no checkpoint there, or one that cannot be read.
      WeightsError: any variable missing, extra or misshapen, by the authors' name.
    """
    prefix = find_checkpoint(prefix_or_folder)
    published = _read(prefix)
    network = network_of(set(published))
    generator = build_generator(network)
    ours = named_variables(generator)
    variables = {theirs: ours[name] for theirs, name in GENERATORS[network].items()}
    assign_strictly(variables, published, source=prefix)
    return generator


def find_checkpoint(prefix_or_folder: str) -> str:
    """The checkpoint prefix that is meant: itself, or the latest one of a folder.

    Raises:
      ConversionError: no checkpoint there.
    """
    path = Path(prefix_or_folder)
    prefix = tf.train.latest_checkpoint(str(path)) if path.is_dir() else str(path)
    if prefix is None or not Path(f"{prefix}.index").is_file():
        raise ConversionError(
            f"{path}: no TensorFlow checkpoint. Give the prefix of its files (such as "
            "generator_Hayao_weight/Hayao-99.ckpt, with Hayao-99.ckpt.index beside it), or the "
            "folder with them and the file named checkpoint."
        )
    return str(prefix)


def _read(prefix: str) -> dict[str, np.ndarray]:
    try:
        reader = tf.train.load_checkpoint(prefix)
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, ValueError, IndexError) as error:  # IndexError: a data file cut off
        raise ConversionError(f"{prefix}: unreadable checkpoint ({error})") from error


def _metadata(checkpoint: str) -> dict[str, Any]:
    name = Path(find_checkpoint(checkpoint)).name
    # As the authors' program for photos does it.
    return {"origin": f"the authors' checkpoint {name}", "match_brightness": True}


CONVERTER = Converter(
    licence=LICENCE,
    expects="the TensorFlow 1 checkpoint: the prefix of its files, or their folder",
    load=generator_from_checkpoint,
    metadata=_metadata,
)
