from __future__ import annotations

import numpy as np
import pytest

from wbc_tf.data.pictures import ImageFolderError
from wbc_tf.methods.white_box.data import WhiteBoxData
from wbc_tf.training.data import SAMPLES


def _batches(config, *, start_step, count):
    dataset = WhiteBoxData(config).batches(start_step=start_step)
    return list(dataset.take(count).as_numpy_iterator())


def test_a_resumed_run_sees_the_batches_of_an_unbroken_one(tiny_config):
    config = tiny_config(content_target="structure", content_regions=(3.0, 40.0))
    unbroken = _batches(config, start_step=0, count=5)
    resumed = _batches(config, start_step=3, count=2)
    for first, second in zip(unbroken[3:], resumed):
        assert first.keys() == {"photo", "cartoon", "content"}
        for name, images in first.items():
            assert images.shape == (2, 32, 32, 3)
            assert np.abs(images).max() <= 1
            np.testing.assert_array_equal(images, second[name])
    assert np.any(unbroken[0]["photo"] != unbroken[1]["photo"])


def test_another_seed_draws_other_batches(tiny_config):
    first, second = (_batches(tiny_config(seed=seed), start_step=0, count=1)[0] for seed in (1, 2))
    assert first.keys() == {"photo", "cartoon", "content"}
    assert np.any(first["photo"] != second["photo"])
    np.testing.assert_array_equal(first["content"], first["photo"])


def test_drawn_content_brings_its_own_photos(tiny_config, tmp_path):
    config = tiny_config(content_target="drawn", pair_cache=str(tmp_path), pair_sides=(40, 60))
    (batch,) = _batches(config, start_step=2, count=1)
    assert batch.keys() == {"photo", "cartoon", "content"}
    for photo, drawn in zip(batch["photo"], batch["content"]):
        assert np.any(photo != drawn)
        assert np.corrcoef(photo.ravel(), drawn.ravel())[0, 1] > 0.4  # another place: near 0


def test_crops_show_the_sides_asked_for(tiny_config):
    whole, part = (
        _batches(tiny_config(crop_sides=(side, side)), start_step=0, count=1)[0]
        for side in (1.0, 0.6)
    )
    assert np.any(whole["photo"] != part["photo"])


def test_every_fifth_batch_shows_faces(tiny_config, folders):
    scenery = tiny_config()
    faces = tiny_config(
        face_photo_dir=str(folders / "cartoon"), face_cartoon_dir=str(folders / "photo")
    )
    with_faces = _batches(faces, start_step=0, count=7)
    without = _batches(scenery, start_step=0, count=7)
    for name in ("photo", "cartoon"):
        # Scenery goes on where it stopped: the face batches come in addition.
        for step, scenery_step in ((1, 0), (2, 1), (3, 2), (4, 3), (6, 4)):
            np.testing.assert_array_equal(with_faces[step][name], without[scenery_step][name])
        for step in (0, 5):
            assert not any(np.array_equal(with_faces[step][name], b[name]) for b in without)


def test_sample_photos_stay_the_same(tiny_config):
    photos = WhiteBoxData(tiny_config()).sample_photos()
    assert photos.shape == [SAMPLES, 32, 32, 3]
    np.testing.assert_array_equal(photos, WhiteBoxData(tiny_config()).sample_photos())


def test_folders_that_cannot_be_trained_on_are_named(tiny_config, tmp_path):
    with pytest.raises(ValueError, match="cartoon_dir is empty"):
        WhiteBoxData(tiny_config(cartoon_dir=""))
    with pytest.raises(ImageFolderError, match="absent"):
        WhiteBoxData(tiny_config(photo_dir=str(tmp_path / "absent")))
    with pytest.raises(ImageFolderError, match="5 photo pictures"):
        WhiteBoxData(tiny_config(batch_size=6))
