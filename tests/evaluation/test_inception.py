from __future__ import annotations

import logging

import h5py
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from wbc_tf.evaluation import inception as module
from wbc_tf.evaluation.inception import (
    DIMENSION,
    PROTOCOL,
    InceptionFeatures,
    InceptionWeightsError,
    resize_for_inception,
)


@pytest.fixture(scope="module")
def features(inception_weights):
    return InceptionFeatures(str(inception_weights))


def _picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, [height, width, 3], dtype=np.uint8)


@pytest.mark.parametrize("size", [(700, 911), (120, 90), (299, 299)])
def test_resizing_is_pillows_bicubic_in_float(size):
    """Another implementation of the same antialiased filter (a = -0.5), to 1/100 grey level."""
    picture = _picture(*size)
    channels = [Image.fromarray(channel) for channel in np.float32(picture).transpose(2, 0, 1)]
    pillow = [channel.resize((299, 299), Image.Resampling.BICUBIC) for channel in channels]
    levels = np.clip(np.stack(pillow, axis=-1), 0, 255)
    resized = resize_for_inception(picture)
    assert resized.shape == [299, 299, 3]
    np.testing.assert_allclose((resized + 1) * 127.5, levels, atol=0.01)


def test_a_fine_grid_becomes_grey_and_no_coarser_one():
    grid = np.zeros([598, 897, 3], np.uint8)
    grid[::2, ::2] = grid[1::2, 1::2] = 255
    inner = resize_for_inception(grid)[4:-4, 4:-4]
    assert np.abs(inner).max() < 0.02


def test_features_are_keras_networks_pooled_maps_under_its_own_preprocessing(features, inception):
    picture = _picture(299, 299)
    preprocess = tf.keras.applications.inception_v3.preprocess_input
    maps = inception.predict(preprocess(np.float32(picture[None])), verbose=0)
    assert maps.shape == (1, 8, 8, DIMENSION)
    ours = features([picture])
    np.testing.assert_allclose(ours, maps.mean(axis=(1, 2)), rtol=1e-4, atol=1e-5 * ours.max())


def test_sizes_and_batches_do_not_mix(features):
    pictures = [_picture(90, 130), _picture(350, 310, seed=1), _picture(64, 64, seed=2)]
    together = features(pictures)
    assert (together.shape, together.dtype) == ((3, DIMENSION), np.float32)
    alone = np.concatenate([features([picture]) for picture in reversed(pictures)])[::-1]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5 * together.max())


def test_the_name_says_network_size_and_resampling():
    assert PROTOCOL == "inceptionv3_keras_299_antialias"


def test_weights_that_are_not_keras_own_are_warned_of(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(module, "_loaded", lambda path: None)
    path = tmp_path / "mine.h5"
    path.write_bytes(b"abc")
    with caplog.at_level(logging.WARNING):
        assert InceptionFeatures(str(path)).md5 == "900150983cd24fb0d6963f7d28e17f72"
    assert "mine.h5 is not the file that Keras downloads" in caplog.text
    assert "900150983cd24fb0d6963f7d28e17f72" in caplog.text


@pytest.mark.parametrize("content", [None, b"no HDF5"], ids=["missing", "broken"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "weights.h5"
    if content:
        path.write_bytes(content)
    with pytest.raises(InceptionWeightsError, match=r"weights\.h5"):
        InceptionFeatures(str(path))


def test_another_networks_weights_are_refused(tmp_path):
    path = tmp_path / "other.h5"
    tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=[3])]).save_weights(path)
    with pytest.raises(InceptionWeightsError, match=r"other\.h5.*found 1 saved layers"):
        InceptionFeatures(str(path))


def test_a_tensor_of_another_shape_is_refused(inception_weights, tmp_path):
    path = tmp_path / "weights.h5"
    path.write_bytes(inception_weights.read_bytes())
    with h5py.File(path, "r+") as file:
        first = next(name for name in file.attrs["layer_names"] if "conv2d" in name)
        (name,) = file[first].attrs["weight_names"]
        del file[first][name]
        file[first][name] = np.zeros([5, 5, 3, 32])
    with pytest.raises(InceptionWeightsError, match=r"weights\.h5.*Shape mismatch"):
        InceptionFeatures(str(path))


def test_offline_the_error_says_what_to_do(monkeypatch):
    def offline(*_, **__):
        raise Exception("URL fetch failure on https://example.org: None -- no route to host")

    monkeypatch.setattr(tf.keras.applications, "InceptionV3", offline)
    with pytest.raises(InceptionWeightsError, match=r"(?s)no route to host.*--weights=PATH"):
        InceptionFeatures()


def test_any_other_failure_of_keras_stays_what_it_is(monkeypatch):
    def broken(*_, **__):
        raise MemoryError("out of it")

    monkeypatch.setattr(tf.keras.applications, "InceptionV3", broken)
    with pytest.raises(MemoryError):
        InceptionFeatures()
