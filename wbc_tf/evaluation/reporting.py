"""What folders and runs both report: what figures depend on, and what was left out."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from wbc_tf.evaluation.pictures import PictureFolder
from wbc_tf.training.provenance import source_commit


def provenance() -> dict[str, Any]:
    """The versions and the commit that figures were measured with."""
    packages = {}
    for package in ("tensorflow", "numpy", "wbc_tf"):
        try:
            packages[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:  # run from a checkout
            packages[package] = "not installed"
    return {"versions": packages, "commit": source_commit()}


def name_unpaired(unpaired: Sequence[str]) -> None:
    """Names on stderr the pictures without a counterpart."""
    for phrase in unpaired:
        print(f"not compared in content: {phrase}", file=sys.stderr)


def name_left_out(missing: Mapping[str, str], folders: Mapping[str, PictureFolder]) -> bool:
    """Names on stderr the metrics and counts the pictures that were left out.

    Returns:
      Whether nothing was.
    """
    for reason in dict.fromkeys(missing.values()):
        metrics = ", ".join(metric for metric in missing if missing[metric] == reason)
        print(f"{metrics}: not measured: {reason}", file=sys.stderr)
    broken = sum(len(folder.broken) for folder in folders.values())
    if broken:
        print(f"{broken} broken pictures were left out", file=sys.stderr)
    return not missing and not broken
