"""The model that comes with the project, as a newcomer meets it."""

import json

import numpy as np
import pytest
import tensorflow as tf
from skimage import data

from wbc_tf import train
from wbc_tf.artefact.exported import load_generator
from wbc_tf.artefact.model_directory import find_model, read_metadata
from wbc_tf.images import to_float, to_uint8
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.methods.white_box.exported import EXPORTED, coefficients


def test_saved_model_and_strict_loader_draw_the_same_picture(root):
    photo = data.astronaut()[100:301, 120:400]  # 201 x 280: padded on the way
    generator = load_generator(EXPORTED, "white_box")
    delta = read_metadata(find_model("white_box"))["delta"]
    scale, offset = coefficients(generator, tf.constant(to_float(photo[None])), 1.0, delta)
    ours = to_uint8(np.asarray(scale)[0] * to_float(photo) + np.asarray(offset)[0])
    saved = Cartoonizer.load("white_box")(photo)
    assert np.abs(ours.astype(int) - saved).max() <= 1
    assert np.abs(saved.astype(int) - photo).mean() > 3  # and it is another picture


@pytest.mark.parametrize("sample", ["astronaut", "coffee"])
def test_no_colour_cast_and_no_haze(sample):
    photo = getattr(data, sample)()
    cartoon = Cartoonizer.load("white_box")(photo)
    cast = cartoon.mean((0, 1)) - photo.mean((0, 1))
    assert np.abs(cast - cast.mean()).max() < 12, cast
    assert np.percentile(cartoon, 1) < 50
    assert np.percentile(cartoon, 99) > 200


def test_it_says_whose_it_is():
    folder = find_model("white_box")
    metadata = json.loads((folder / "assets.extra" / "model.json").read_text("utf-8"))
    assert "CC BY 4.0" in metadata["licence"]
    assert "David Revoy" in metadata["licence"]


def test_its_record_is_its_flagfile(root, call):
    """The recorded config is what the flagfile gives, so the card's command repeats the run."""
    folder = find_model("white_box")
    metadata = json.loads((folder / "assets.extra" / "model.json").read_text("utf-8"))
    flagfile = root / "configs" / "white_box_default.cfg"
    outcome = call(train, f"--flagfile={flagfile}", "--dry_run")
    assert outcome.status == 0, outcome.err
    assert metadata["config"] == json.loads(outcome.out)["config"]
    assert len(metadata["training_commit"]) == 40
    assert set(metadata["data_sha256"]) >= {metadata["config"]["photo_dir"], "start"}
