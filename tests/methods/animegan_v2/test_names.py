from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wbc_tf.artefact.weights import named_variables
from wbc_tf.methods.animegan_v2.generator import build_generator
from wbc_tf.methods.animegan_v2.names import GENERATORS, network_of


def _published(animegan: Path, network: str) -> set[str]:
    if network == "lite":
        with np.load(animegan / "generator_lite.npz") as file:
            return {key[4:] for key in file.files if key.startswith("var/")}
    lines = (animegan / "checkpoint" / "variables.txt").read_text("utf-8").splitlines()
    return {line.split()[0] for line in lines if not line.startswith("#")}


@pytest.mark.parametrize("network", GENERATORS)
def test_each_variable_of_both_sides_stands_once(animegan: Path, network: str) -> None:
    table = GENERATORS[network]
    published = _published(animegan, network)
    assert table.keys() == published
    assert sorted(table.values()) == sorted(named_variables(build_generator(network)))
    assert network_of(published) == network


@pytest.mark.parametrize("network", GENERATORS)
def test_a_network_is_told_though_a_variable_is_missing(animegan: Path, network: str) -> None:
    assert network_of(set(sorted(_published(animegan, network))[3:])) == network
