from __future__ import annotations

import numpy as np
import pytest

from wbc_tf.methods.cartoongan.data import CartoonGanData
from wbc_tf.ops.edge_smoothing import smooth_edges


def _batch(data, step):
    batches = iter(data.batches(start_step=step))
    return {name: images.numpy() for name, images in next(batches).items()}


def test_a_batch_holds_other_cartoons_with_smoothed_edges(tiny_config):
    config = tiny_config(edge_blur=3, edge_dilation=7)
    data = CartoonGanData(config)
    batch = _batch(data, 1)
    assert {images.shape for images in batch.values()} == {(2, 32, 32, 3)}
    expected = smooth_edges(batch["other_cartoon"], dilation=7, blur=3)
    np.testing.assert_array_equal(batch["edge_smoothed"], expected)
    assert np.any(batch["edge_smoothed"] != batch["other_cartoon"])
    assert np.any(batch["cartoon"] != batch["other_cartoon"])
    again = _batch(CartoonGanData(config), 1)
    for name, images in batch.items():
        np.testing.assert_array_equal(again[name], images)


def test_whole_pictures_or_crops_of_them(tiny_config):
    """Pictures are 5 blocks wide: a whole one shows all, a small crop does not."""
    whole = _batch(CartoonGanData(tiny_config()), 0)["cartoon"]
    crops = _batch(CartoonGanData(tiny_config(whole_pictures=False, crop_sides=(0.4, 0.4))), 0)

    def changes(images):
        return np.mean(np.abs(np.diff(images[:, 16], axis=1)).max(-1) > 0.05)

    assert changes(whole) > changes(crops["cartoon"])


def test_the_sample_grid_is_the_same_all_through(tiny_config):
    data = CartoonGanData(tiny_config())
    assert data.sample_photos().shape == (4, 32, 32, 3)
    np.testing.assert_array_equal(data.sample_photos(), data.sample_photos())


def test_a_folder_that_is_not_given_is_named(tiny_config):
    with pytest.raises(ValueError, match="cartoon_dir is empty"):
        CartoonGanData(tiny_config(cartoon_dir=""))
