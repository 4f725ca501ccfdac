"""Small networks and small runs of each method; one that is not here has its own size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests import toy
from wbc_tf.methods.registry import METHODS
from wbc_tf.training.spec import MethodSpec

#: All that is registered, and the toy.
SPECS: dict[str, MethodSpec] = {**METHODS, "toy": toy.SPEC}

#: As `Exported.build` takes them.
SMALL: dict[str, dict[str, Any]] = {
    "animegan_v2": {"network": "lite"},
    "cartoongan": {"channels": 4, "blocks": 1},
    "toy": {"channels": 4},
    "white_box": {"channels": 4, "blocks": 1},
}

#: Fields of the config beside those that all methods share.
_SMALL_RUN: dict[str, dict[str, Any]] = {
    "animegan_v2": {"generator": "lite"},
    "cartoongan": {
        "channels": 4,
        "blocks": 1,
        "discriminator_channels": 4,
        "image_pool": 2,
        "vgg_size": 0,
    },
}


#: What takes a method through most of its own code: adaptive structure maps, content held to the
#: photo's regions, our own terms, bounded output.
_MOST_IN_IT: dict[str, dict[str, Any]] = {
    "white_box": {
        "structure": "adaptive",
        "structure_released": False,
        "content_target": "structure",
        "pixel_weight": 1,
        "gradient_weight": 1,
        "channel_mean_weight": 0.5,
        "contrast_weight": 0.5,
        "gradient_count_weight": 0.5,
        "bound_output": "clip",
    },
}


def full_settings(name: str, folders: Path, **changes: Any) -> dict[str, Any]:
    """Fields of a small run with the most in it; `changes` override them."""
    return {
        "photo_dir": str(folders / "photo"),
        "cartoon_dir": str(folders / "cartoon"),
        "patch_size": 32,
        "batch_size": 2,
        "seed": 5,
        "pretrain_steps": 2,
        "steps": 4,
        "ema_momentum": 0.8,
        "vgg": "vgg19",
        "vgg_layer": "block1_conv2",
        "vgg_weights": "random",
        **_SMALL_RUN.get(name, {}),
        **_MOST_IN_IT.get(name, {}),
        **changes,
    }
