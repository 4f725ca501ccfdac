"""The golden structure maps, and random pictures with regions to find."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="session", params=["china6", "food6", "mountain4", "national_park1"])
def golden(request, shared):
    """What the authors' program makes of one 256 x 256 picture; all of it turned from BGR to RGB.

    Computed with scikit-image 0.26; 0.22 and 0.24 give the same labels.
    """
    with np.load(shared / "reference" / "whitebox" / "structure.npz") as figures:
        one = {
            name.split("/")[1].replace(".", "_"): figures[name]
            for name in figures.files
            if name.startswith(request.param + "/")
        }
    turned = {name: a[..., ::-1] if a.ndim == 3 else a for name, a in one.items()}
    image = turned["image_bgr_uint8"].astype(np.float32) / np.float32(127.5) - np.float32(1)
    return SimpleNamespace(image=image, **turned)


@pytest.fixture(params=range(4))
def blotches(request):
    """A picture of soft blotches under noise, not square: about as a photo, but small."""
    random = np.random.default_rng(request.param)
    tiles = random.uniform(-1, 1, (4, 6, 3))
    image = np.kron(tiles, np.ones((7, 6, 1))) + random.normal(0, 0.1, (28, 36, 3))
    return np.clip(image, -1, 1).astype(np.float32)
