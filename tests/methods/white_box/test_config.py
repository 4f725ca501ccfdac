from __future__ import annotations

import dataclasses
import json

import pytest

from wbc_tf.losses.adversarial import ADVERSARIAL_LOSSES
from wbc_tf.losses.perceptual import NETWORKS
from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.methods.white_box.generator import BOUNDS
from wbc_tf.ops.structure_map import KINDS


def test_presets_differ_as_paper_and_code_do():
    presets = WhiteBoxConfig.presets()
    code, paper = (dataclasses.asdict(presets[name]) for name in ("white_box", "white_box_paper"))
    assert {name: (code[name], paper[name]) for name in code if code[name] != paper[name]} == {
        "pretrain_loss": ("pixel", "content"),
        "structure": ("slic", "adaptive"),
        "structure_released": (True, False),
        "adversarial": ("lsgan", "log"),
        "surface_weight": (0.1, 1.0),
        "texture_weight": (1.0, 10.0),
        "structure_weight": (200.0, 2000.0),
        "content_weight": (200.0, 2000.0),
    }
    assert (code["tv_weight"], code["learning_rate"]) == (1e4, 2e-4)
    assert (code["beta_1"], code["beta_2"]) == (0.5, 0.99)
    assert (code["content_target"], code["channel_mean_weight"]) == ("photo", 0.0)
    assert (code["contrast_weight"], code["gradient_count_weight"]) == (0.0, 0.0)
    assert (code["discriminator_rate"], code["crop_sides"]) == (1.0, (0.36, 1.0))
    assert (code["pixel_weight"], code["gradient_weight"]) == (0.0, 0.0)


def test_every_field_is_explained():
    for field in dataclasses.fields(WhiteBoxConfig):
        assert field.metadata["help"].endswith("."), field.name


@pytest.mark.parametrize(
    ("field", "choices"),
    [
        ("adversarial", ADVERSARIAL_LOSSES),
        ("vgg", NETWORKS),
        ("structure", KINDS),
        ("bound_output", BOUNDS),
    ],
)
def test_choices_are_what_the_code_offers(field, choices):
    """The config does not import what it configures, and with it TensorFlow."""
    for choice in choices:
        assert getattr(WhiteBoxConfig(**{field: choice}), field) == choice
    with pytest.raises(ValueError, match="nonsense") as raised:
        WhiteBoxConfig(**{field: "nonsense"})
    offered = str(raised.value).split("one of ")[1].split(", ")
    assert offered == list(choices)


@pytest.mark.parametrize(
    ("field", "value", "expectation"),
    [
        ("patch_size", 250, "a multiple of 4, 32 or more"),
        ("patch_size", 256.0, "a int"),
        ("batch_size", 0, "greater than 0"),
        ("steps", -1, "0 or more"),
        ("steps", True, "a int"),
        ("learning_rate", 0.0, "greater than 0"),
        ("learning_rate", float("nan"), "a float"),
        ("learning_rate", "2e-4", "a float"),
        ("ema_momentum", 1.0, "at least 0 and below 1"),
        ("tv_weight", -1.0, "0 or more"),
        ("precision", "half", "one of float32, mixed_float16, mixed_bfloat16"),
        ("content_regions", (), "one or more numbers of at least 1"),
        ("content_regions", (12, "coarse"), "one or more numbers of at least 1"),
        ("drawing_ink", 1.5, "between 0 and 1"),
        ("crop_sides", (0.5,), "two numbers above 0 and up to 1, the smaller first"),
        ("crop_sides", (0.9, 0.4), "two numbers above 0 and up to 1, the smaller first"),
        ("vgg_weights", "", "imagenet, random or a path"),
        ("photo_dir", None, "a str"),
    ],
)
def test_impossible_values_are_named(field, value, expectation):
    with pytest.raises(ValueError, match=field) as raised:
        WhiteBoxConfig(**{field: value})
    assert str(raised.value) == f"{field} is {value!r}, and must be {expectation}"


def test_whole_numbers_and_lists_become_what_the_field_is():
    config = WhiteBoxConfig(tv_weight=3, content_regions=[12, 60])
    assert config.tv_weight == 3.0
    assert type(config.tv_weight) is float
    assert config.content_regions == (12.0, 60.0)


def test_a_random_generator_is_not_sent_against_discriminators():
    with pytest.raises(ValueError, match="one flat colour"):
        WhiteBoxConfig(pretrain_steps=0, steps=10)
    WhiteBoxConfig(pretrain_steps=0, steps=0)
    WhiteBoxConfig(pretrain_steps=0, steps=10, initial_model="models/mine")
    WhiteBoxConfig(pretrain_steps=0, steps=10, allow_random_start=True)


def test_half_a_pair_of_face_folders_is_refused():
    with pytest.raises(ValueError, match="face_cartoon_dir is empty"):
        WhiteBoxConfig(face_photo_dir="faces")
    with pytest.raises(ValueError, match="face_photo_dir is empty"):
        WhiteBoxConfig(face_cartoon_dir="faces")


def test_gradients_need_pixels_beside_them():
    with pytest.raises(ValueError, match="pixel_weight is 0"):
        WhiteBoxConfig(gradient_weight=1.0)


def test_content_pretraining_needs_its_weight():
    with pytest.raises(ValueError, match="content_weight is 0"):
        WhiteBoxConfig(pretrain_loss="content", content_weight=0.0)


@pytest.mark.parametrize("preset", WhiteBoxConfig.presets())
def test_json_round_trip(preset):
    config = WhiteBoxConfig.presets()[preset]
    assert WhiteBoxConfig.from_json(config.to_json()) == config


def test_json_of_another_shape_is_refused():
    values = json.loads(WhiteBoxConfig().to_json())
    del values["steps"]
    with pytest.raises(ValueError, match="unknown: step, missing: steps"):
        WhiteBoxConfig.from_json(json.dumps({**values, "step": 3}))
    with pytest.raises(ValueError, match="JSON object, not list"):
        WhiteBoxConfig.from_json("[]")
