"""The authors' figures, see the README beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.weights import assign_strictly, named_variables
from wbc_tf.methods.animegan_v2 import names
from wbc_tf.methods.animegan_v2.config import AnimeGanV2Config
from wbc_tf.methods.animegan_v2.discriminator import Discriminator, build_discriminator
from wbc_tf.methods.animegan_v2.generator import Generator, build_generator


@pytest.fixture(scope="session")
def animegan(shared: Path) -> Path:
    """What the authors' graph computed: networks, losses, one training step, two pictures."""
    return shared / "reference" / "animegan_v2"


def _generator(network: str, published: dict[str, np.ndarray]) -> Generator:
    generator = build_generator(network)
    ours = named_variables(generator)
    variables = {theirs: ours[name] for theirs, name in names.GENERATORS[network].items()}
    assign_strictly(variables, published, source=network)
    return generator


@pytest.fixture(scope="session")
def hayao(animegan: Path) -> Generator:
    """The full generator with the reference checkpoint."""
    reader = tf.train.load_checkpoint(str(animegan / "checkpoint" / "Hayao.ckpt"))
    return _generator(
        "full", {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    )


@pytest.fixture(scope="session")
def lite(animegan: Path) -> Generator:
    """The small generator with the reference's random weights."""
    with np.load(animegan / "generator_lite.npz") as file:
        published = {key[4:]: file[key] for key in file.files if key.startswith("var/")}
    return _generator("lite", published)


@pytest.fixture
def discriminator(animegan: Path) -> Discriminator:
    """The discriminator with the reference's random weights; a new one each time, for its u."""
    network = build_discriminator()
    prefix = "var/discriminator/"
    with np.load(animegan / "discriminator.npz") as file:
        values = {key[len(prefix) :]: file[key] for key in file.files if key.startswith(prefix)}
    assign_strictly(named_variables(network), values, source="discriminator.npz")
    return network


@pytest.fixture(scope="session")
def tiny_config(folders: Path) -> Callable[..., AnimeGanV2Config]:
    """Makes a config for a tiny run; keyword arguments override it."""

    def make(**changes: Any) -> AnimeGanV2Config:
        settings = {
            "photo_dir": str(folders / "photo"),
            "cartoon_dir": str(folders / "cartoon"),
            "patch_size": 32,
            "batch_size": 2,
            "seed": 5,
            "pretrain_steps": 2,
            "steps": 2,
            "generator": "lite",
            "vgg_layer": "block2_conv1",
            "vgg_weights": "random",
            **changes,
        }
        return AnimeGanV2Config(**settings)

    return make
