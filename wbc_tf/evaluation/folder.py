"""Measures a folder of cartoons."""

from __future__ import annotations

import json

from wbc_tf.evaluation.config import EvaluationConfig
from wbc_tf.evaluation.figures import as_record, table
from wbc_tf.evaluation.metrics import Evaluator
from wbc_tf.evaluation.reporting import name_left_out, name_unpaired, provenance
from wbc_tf.files.whole import write_whole


def measure_folder(config: EvaluationConfig) -> bool:
    """Prints a table of figures, and writes them to the config's file `json` where one is named.

    Returns:
      Whether all was measured; what was not is named on stderr.

    Raises:
      NoPicturesError: a folder in which no picture can be read.
      OSError: the file cannot be written.
    """
    folders = config.folders
    # It was not asked for by name, so leaving it out is no failure. The table names it.
    left_out = {}
    if "content" in config.wanted and "photos" not in folders:
        left_out = {"content": "--photos is not given"}
    metrics = [metric for metric in config.wanted if metric not in left_out]
    evaluator = Evaluator(metrics, weights=config.weights, vgg_weights=config.vgg_weights)
    result = evaluator.measure(metrics, folders)
    missing = {**result.missing, **left_out}
    print(table(result.figures, missing))
    if config.json:
        record = {
            "figures": as_record(result.figures),
            "not_measured": missing,
            "not_paired": result.alone,
            "pictures": {label: folder.summary() for label, folder in folders.items()},
            **provenance(),
            **evaluator.details,
        }
        write_whole(config.json, f"{json.dumps(record)}\n".encode())
    name_unpaired(result.alone)
    return name_left_out(result.missing, folders)
