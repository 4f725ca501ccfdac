from __future__ import annotations

import dataclasses
import json

import pytest
import tensorflow as tf

from wbc_tf.losses.perceptual import NETWORKS
from wbc_tf.training.config import VGG_LAYERS, TrainingConfig, with_default

APPLICATIONS = {"vgg16": tf.keras.applications.VGG16, "vgg19": tf.keras.applications.VGG19}


@pytest.mark.parametrize(
    ("field", "value", "expectation"),
    [
        ("patch_size", 250, "a multiple of 4, 32 or more"),
        ("patch_size", 256.0, "a whole number"),
        ("batch_size", 0, "greater than 0"),
        ("steps", -1, "0 or more"),
        ("steps", True, "a whole number"),
        ("learning_rate", 0.0, "greater than 0"),
        ("learning_rate", float("nan"), "a finite number"),
        ("learning_rate", "2e-4", "a finite number"),
        ("ema_momentum", 1.0, "at least 0 and below 1"),
        ("precision", "half", "one of float32, mixed_float16, mixed_bfloat16"),
        ("crop_sides", (0.5,), "two numbers above 0 and up to 1, the smaller first"),
        ("crop_sides", (0.9, 0.4), "two numbers above 0 and up to 1, the smaller first"),
        ("vgg", "vgg11", "one of vgg16, vgg19"),
        ("vgg_weights", "", "imagenet, random or a path"),
        ("photo_dir", None, "a text"),
    ],
)
def test_impossible_values_are_named(field: str, value: object, expectation: str) -> None:
    with pytest.raises(ValueError, match=field) as raised:
        TrainingConfig(**{field: value})
    assert str(raised.value) == f"{field} is {value!r}, and must be {expectation}"


def test_whole_numbers_and_lists_become_what_the_field_is() -> None:
    config = TrainingConfig(learning_rate=1, crop_sides=[0.5, 1])
    assert (config.learning_rate, type(config.learning_rate)) == (1.0, float)
    assert config.crop_sides == (0.5, 1.0)


def test_the_layers_of_vgg_are_those_of_the_networks() -> None:
    """The config does not import what it configures, and with it TensorFlow."""
    for name, build in APPLICATIONS.items():
        network = build(include_top=False, weights=None)
        convolutions = [layer.name for layer in network.layers if "conv" in layer.name]
        assert list(VGG_LAYERS[name]) == convolutions
    assert tuple(VGG_LAYERS) == tuple(APPLICATIONS) == NETWORKS
    with pytest.raises(ValueError, match=r"'block4_conv4', and must be one of .* with vgg16"):
        TrainingConfig(vgg="vgg16")


def test_a_random_generator_is_not_sent_against_discriminators() -> None:
    with pytest.raises(ValueError, match="one flat colour"):
        TrainingConfig(pretrain_steps=0, steps=10)
    TrainingConfig(pretrain_steps=0, steps=0)
    TrainingConfig(pretrain_steps=0, steps=10, initial_model="models/mine")
    TrainingConfig(pretrain_steps=0, steps=10, allow_random_start=True)


def test_a_method_gives_a_field_its_own_default_and_keeps_the_rest() -> None:
    @dataclasses.dataclass(frozen=True)
    class Slow(TrainingConfig):
        learning_rate: float = with_default(TrainingConfig, "learning_rate", 1e-5)

    assert Slow().learning_rate == 1e-5
    ours, theirs = (
        each.__dataclass_fields__["learning_rate"].metadata for each in (Slow, TrainingConfig)
    )
    assert ours == theirs
    with pytest.raises(ValueError, match=r"learning_rate is -1\.0, and must be greater than 0"):
        Slow(learning_rate=-1.0)


def test_a_record_of_an_earlier_version_lacks_fields_and_gets_their_defaults() -> None:
    values = json.loads(TrainingConfig(seed=3).to_json())
    del values["crop_sides"]
    assert TrainingConfig.from_json(json.dumps(values)) == TrainingConfig(seed=3)


def test_json_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="not a TrainingConfig: unknown sted, stepz"):
        TrainingConfig.from_json(json.dumps({"stepz": 3, "seed": 1, "sted": 2}))
    with pytest.raises(ValueError, match="JSON object, not list"):
        TrainingConfig.from_json("[]")


def test_a_method_must_name_its_recipes() -> None:
    with pytest.raises(NotImplementedError, match="TrainingConfig names no recipe"):
        TrainingConfig.presets()
