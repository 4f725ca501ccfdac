from __future__ import annotations

import dataclasses

import pytest

from wbc_tf.losses.adversarial import ADVERSARIAL_LOSSES
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
    assert code["crop_sides"] == (0.36, 1.0)


@pytest.mark.parametrize(
    ("field", "choices"),
    [
        ("adversarial", ADVERSARIAL_LOSSES),
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
