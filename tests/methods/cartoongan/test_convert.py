from __future__ import annotations

import hashlib

import numpy as np
import pytest

from wbc_tf.artefact.weights import WeightsError
from wbc_tf.methods.cartoongan.convert import NAMES, generator_from_arrays


@pytest.fixture(scope="module")
def published(cartoongan):
    with np.load(cartoongan / "weights_hayao.npz") as file:
        return dict(file)


def test_the_names_are_all_the_published_ones(published):
    biases = {name.replace(".weight", ".bias") for name in NAMES if name.endswith(".weight")}
    assert NAMES.keys() | biases == published.keys()


def test_these_are_the_weights_that_the_figures_were_made_with(published):
    digest = hashlib.sha256()
    for name in sorted(published):
        digest.update(name.encode() + published[name].astype("<f4").tobytes())
    assert digest.hexdigest().startswith("739d8f9c2710eb9fe54117cdd785def4")


def test_what_is_missing_left_over_or_misshapen_is_listed(published):
    changed = {**published, "conv99.weight": np.zeros([1])}
    del changed["in04_2.shift"]
    changed["deconv01_1.weight"] = changed["deconv01_1.weight"].transpose(1, 0, 2, 3)
    changed["conv05_1.bias"] = np.zeros([255], np.float32)
    with pytest.raises(WeightsError, match=r"of_mine\.npz") as raised:
        generator_from_arrays(changed, source="of_mine.npz")
    for problem in (
        "missing: in04_2.shift",
        "not expected: conv99.weight",
        r"deconv01_1.weight is [128, 256, 3, 3], expected [256, 128, 3, 3]",
        "conv05_1.bias is [255], expected [256]",
    ):
        assert problem in str(raised.value)


def test_a_bias_that_acts_is_refused(published):
    changed = {**published, "deconv03_1.bias": np.float32([0, 0.5, 0])}
    with pytest.raises(WeightsError, match=r"deconv03_1\.bias goes up to 0\.5"):
        generator_from_arrays(changed, source="mine.npz")
