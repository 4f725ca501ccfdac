"""The model that comes with the project, as a newcomer meets it."""

import json

import numpy as np
import pytest
import tensorflow as tf
from skimage import data

from wbc_tf import train
from wbc_tf.artefact.exported import load_generator
from wbc_tf.artefact.model_directory import find_model
from wbc_tf.images import to_float, to_uint8
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.methods.white_box.exported import EXPORTED, coefficients


def test_saved_model_and_strict_loader_draw_the_same_picture(root):
    photo = data.astronaut()[100:301, 120:400]  # 201 x 280: padded on the way
    generator = load_generator(EXPORTED, "white_box")
    scale, offset = coefficients(generator, tf.constant(to_float(photo[None])))
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


def test_its_recipe_begins_as_the_lab_book_says(root, shared, tmp_path, call):
    """Three steps of its first stage, of the fifty recorded; the data are those of the card."""
    book = root / "pretrained_models" / "white_box" / "first_losses.json"
    losses_of = json.loads(book.read_text("utf-8"))
    expected = losses_of["white_box_default_start"]["pretrain"]
    photos = tmp_path / "photo"
    photos.mkdir()
    for photo in (shared / "data" / "photo").iterdir():
        if photo.name.startswith(("budgie_", "elementary_", "popos_", "kodak_")):
            (photos / photo.name).symlink_to(photo)
    outcome = call(
        train,
        f"--flagfile={root / 'configs' / 'white_box_default_start.cfg'}",
        f"--workdir={tmp_path / 'run'}",
        f"--photo_dir={photos}",
        f"--cartoon_dir={shared / 'data' / 'cartoon'}",
        f"--vgg_weights={shared / 'reference' / 'vgg19' / 'vgg19_blocks1-3.h5'}",
        "--pretrain_steps=3",
        "--steps=0",
    )
    assert outcome.status == 0, outcome.err
    lines = (tmp_path / "run" / "losses.jsonl").read_text("utf-8").splitlines()
    losses = [json.loads(line)["generator_loss"] for line in lines]
    # Other processors round bfloat16 sums in another order.
    np.testing.assert_allclose(losses, expected[:3], rtol=0.01)
