from __future__ import annotations

import h5py
import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.losses.perceptual import VggFeatures, VggWeightsError, content_l1


@pytest.fixture(scope="module")
def weights(shared):
    return str(shared / "reference/vgg19/vgg19_blocks1-3.h5")


def test_rectified_features_are_keras_own(weights):
    """An independent road to the same place: Keras' loader, Keras' preprocessing by hand, its ReLU.

    A picture whose three channels differ, so that swapped ones show.
    """
    application = tf.keras.applications.VGG19(include_top=False, weights=None)
    application.load_weights(weights, by_name=True)
    theirs = tf.keras.Model(application.input, application.get_layer("block3_conv4").output)
    images = np.random.default_rng(0).uniform(-1, 1, [2, 24, 40, 3]).astype(np.float32)
    images *= np.float32([1.0, 0.5, 0.1])
    bgr = (images[..., ::-1] + 1) * 127.5 - np.float32([103.939, 116.779, 123.68])
    expected = theirs(bgr)

    features = VggFeatures("vgg19", "block3_conv4", weights=weights)
    for run in (features, tf.function(features)):
        ours = run(tf.constant(images))
        assert ours.shape == [2, 6, 10, 256]
        assert np.mean(ours < 0) > 0.1  # before the ReLU
        np.testing.assert_allclose(
            tf.nn.relu(ours), expected, atol=1e-5 * float(np.max(np.abs(ours)))
        )


def test_mixed_precision_computes_low_and_stays_close(weights):
    images = tf.random.stateless_uniform([1, 16, 16, 3], [0, 0], -1, 1)
    full = VggFeatures("vgg19", "block2_conv2", weights=weights)(images)
    low = VggFeatures("vgg19", "block2_conv2", weights=weights, precision="mixed_bfloat16")(images)
    assert low.dtype == tf.bfloat16
    difference = np.abs(tf.cast(low, tf.float32) - full)
    assert np.mean(difference) < 0.02 * np.mean(np.abs(full))


def test_content_is_the_mean_difference_in_float32():
    features = np.random.default_rng(0).normal(size=[2, 3, 5, 4])
    value = content_l1(tf.constant(features), tf.constant(features + 0.6))
    np.testing.assert_allclose(value, 0.6, rtol=1e-5)
    large = tf.fill([1, 300, 300, 1], tf.constant(3.0, tf.float16))
    assert float(content_l1(large, 0 * large)) == 3.0


def test_a_layer_that_the_file_lacks_is_named(weights):
    with pytest.raises(VggWeightsError, match="missing: block4_conv1/bias") as raised:
        VggFeatures("vgg19", "block4_conv1", weights=weights)
    assert "vgg19_blocks1-3.h5" in str(raised.value)


def test_a_tensor_of_another_shape_is_named(tmp_path):
    path = tmp_path / "vgg.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("block1_conv1")
        group.attrs["weight_names"] = ["old_W_1:0", "old_b_1:0"]
        group["old_W_1:0"] = np.zeros([3, 3, 3, 64])
        group["old_b_1:0"] = np.zeros([63])
    with pytest.raises(VggWeightsError, match=r"block1_conv1/bias is \[63\], expected \[64\]"):
        VggFeatures("vgg16", "block1_conv1", weights=str(path))


@pytest.mark.parametrize("content", [None, b"no HDF5"], ids=["missing", "broken"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "weights.h5"
    if content:
        path.write_bytes(content)
    with pytest.raises(VggWeightsError, match=r"weights\.h5"):
        VggFeatures("vgg19", "block1_conv1", weights=str(path))


def test_offline_the_error_says_what_to_do(monkeypatch):
    def offline(*_, **__):
        raise Exception("URL fetch failure on https://example.org: None -- no route to host")

    monkeypatch.setattr(tf.keras.applications, "VGG16", offline)
    with pytest.raises(VggWeightsError, match=r"VGG16.*no route to host.*--vgg_weights=PATH"):
        VggFeatures("vgg16", "block4_conv3", weights="imagenet")


def test_wrong_names_are_refused():
    with pytest.raises(ValueError, match="vgg is 'vgg11'"):
        VggFeatures("vgg11", "block1_conv1", weights="random")
    with pytest.raises(ValueError, match="vgg_layer is 'block4_conv4', and must be one of block1_"):
        VggFeatures("vgg16", "block4_conv4", weights="random")


def test_several_layers_in_one_pass_are_rectified():
    tf.keras.utils.set_random_seed(0)
    vgg = VggFeatures("vgg19", "block2_conv1", weights="random")
    images = tf.random.uniform([2, 12, 20, 3], -1, 1, seed=1)
    first, last = vgg.rectified(images, ["block1_conv2", "block2_conv1"])
    assert first.shape == [2, 12, 20, 64]
    np.testing.assert_allclose(last, tf.nn.relu(vgg(images)), atol=1e-5)
    with pytest.raises(ValueError, match="no block3_conv1 among"):
        vgg.rectified(images, ["block3_conv1"])
