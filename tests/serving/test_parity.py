from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.exported import load_generator
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.serving import signatures
from wbc_tf.serving.parity import (
    FLOAT_TOLERANCE,
    LEVEL_TOLERANCE,
    Parity,
    ParityError,
    check_parity,
)
from wbc_tf.serving.saved_model import save_generator
from wbc_tf.serving.settings import ServingSettings

SETTINGS = ServingSettings(short_side=40)


@pytest.fixture(scope="module")
def network(tiny_model: Path) -> Any:
    return partial(EXPORTED.coefficients, load_generator(EXPORTED, tiny_model))


@pytest.fixture(scope="module")
def version(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    generator = load_generator(EXPORTED, tiny_model)
    directory = tmp_path_factory.mktemp("parity") / "m"
    metadata = {"licence": "none"}
    return save_generator(EXPORTED, generator, directory, metadata=metadata, settings=SETTINGS)


@pytest.fixture(scope="module")
def cartoonize(version: Path) -> Any:
    return partial(Cartoonizer.load(version), short_side=SETTINGS.short_side)


def test_a_model_equals_the_network_it_came_from(
    version: Path, network: Any, cartoonize: Any
) -> None:
    found = check_parity(version, network, SETTINGS, cartoonize=cartoonize)
    assert isinstance(found, Parity)
    assert found.float_difference < FLOAT_TOLERANCE
    assert found.level_difference <= LEVEL_TOLERANCE


@pytest.mark.parametrize("wrong", [0.001, np.nan])
def test_another_network_is_noticed(
    version: Path, network: Any, cartoonize: Any, wrong: float
) -> None:
    def other(photo: tf.Tensor, *knobs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        scale, offset = network(photo, *knobs)
        return scale, offset + wrong

    with pytest.raises(ParityError, match=r"predict_float.*Nothing was written"):
        check_parity(version, other, SETTINGS, cartoonize=cartoonize)


def test_another_way_of_reducing_is_noticed(version: Path, network: Any, cartoonize: Any) -> None:
    other = partial(cartoonize, short_side=30)
    with pytest.raises(ParityError, match=r"predict_uint8 differs .* grey levels"):
        check_parity(version, network, SETTINGS, cartoonize=other)


def test_a_broken_jpeg_branch_is_noticed(
    tiny_model: Path,
    network: Any,
    cartoonize: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # That a sound one passes is tested in tests/test_export.py.
    settings = ServingSettings(short_side=SETTINGS.short_side, encoding="jpeg")
    generator = load_generator(EXPORTED, tiny_model)
    sound = signatures.encode_picture
    monkeypatch.setattr(
        signatures, "encode_picture", lambda picture, s: sound(picture[..., ::-1], s)
    )
    broken = save_generator(
        EXPORTED, generator, tmp_path / "m", metadata={"licence": "none"}, settings=settings
    )
    with pytest.raises(ParityError, match=r"serving_default differs .* above 64"):
        check_parity(broken, network, settings, cartoonize=cartoonize)


def test_another_size_is_noticed(version: Path, network: Any, cartoonize: Any) -> None:
    other = partial(cartoonize, output_size="working")
    with pytest.raises(ParityError, match="predict_uint8"):
        check_parity(version, network, SETTINGS, cartoonize=other)
