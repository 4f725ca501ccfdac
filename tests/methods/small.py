"""Settings under which each method's networks are small; one that is not here has its full size."""

from __future__ import annotations

from typing import Any

#: As `Exported.build` takes them.
SMALL: dict[str, dict[str, Any]] = {
    "animegan_v2": {"network": "lite"},
    "cartoongan": {"channels": 4, "blocks": 1},
    "toy": {"channels": 4},
    "white_box": {"channels": 4, "blocks": 1},
}

#: Fields of the config beside those that all methods share.
SMALL_RUN: dict[str, dict[str, Any]] = {
    "animegan_v2": {"generator": "lite"},
    "cartoongan": {"channels": 4, "blocks": 1, "discriminator_channels": 4, "vgg_size": 0},
}
