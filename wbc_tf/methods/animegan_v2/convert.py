"""The authors' published weights: TensorFlow 1 checkpoints of either generator, in RGB.

The weights are theirs, for non-commercial use only, and never part of this project.
`wbc_tf.methods.animegan_v2.names` is the table of names. They are not fetched by the command: no
hash of the published files is known here that could be checked.
"""

from __future__ import annotations

from typing import Any

from wbc_tf.artefact.weights import assign_strictly, named_variables
from wbc_tf.methods.animegan_v2.generator import Generator, build_generator
from wbc_tf.methods.animegan_v2.names import GENERATORS, network_of
from wbc_tf.training.spec import Converter
from wbc_tf.training.tf1_checkpoint import EXPECTED, find_checkpoint, origin, read_checkpoint

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
    published = read_checkpoint(prefix)
    network = network_of(set(published))
    generator = build_generator(network)
    ours = named_variables(generator)
    variables = {theirs: ours[name] for theirs, name in GENERATORS[network].items()}
    assign_strictly(variables, published, source=prefix)
    return generator


def _metadata(checkpoint: str) -> dict[str, Any]:
    # As the authors' program for photos does it.
    return {"origin": origin(checkpoint), "match_brightness": True}


CONVERTER = Converter(
    licence=LICENCE,
    expects=EXPECTED,
    load=generator_from_checkpoint,
    metadata=_metadata,
)
