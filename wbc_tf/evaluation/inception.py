"""Inception features of pictures, by a protocol that the figures made of them carry in their names.

Figures compare only where all of it is the same. TensorFlow 1's Inception of the FID paper is
another network with other weights: its figures and these do not compare.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from wbc_tf.images import to_float

#: Keras' InceptionV3 with its ImageNet weights, average pooling (2048 features), of the whole
#: picture brought to 299 x 299 by antialiased bicubic resampling in float32, cut to [-1, 1].
PROTOCOL = "inceptionv3_keras_299_antialias"
DIMENSION = 2048
_SIDE = 299
#: Of the file that Keras downloads, inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5.
_KERAS_MD5 = "bcbd6486424b2319ff4ef7d526e38f63"


class InceptionWeightsError(ValueError):
    """Inception weights that are not there or not as they must be; the message says what to do."""


class InceptionFeatures:
    """Keras' InceptionV3 up to its average pooling.

    Args:
      weights: "imagenet", which Keras downloads once and keeps in ~/.keras; or the path of an .h5
        file in Keras' format without the classifier. Another file than Keras' own is warned of:
        the figures then compare only among themselves.

    Raises:
      InceptionWeightsError: the weights cannot be had, or are of another network.
    """

    def __init__(self, weights: str = "imagenet") -> None:
        #: Of the weight file.
        self.md5 = _KERAS_MD5
        if weights == "imagenet":
            self._model = _downloaded()
        else:
            self._model = _loaded(Path(weights))
            self.md5 = hashlib.md5(Path(weights).read_bytes(), usedforsecurity=False).hexdigest()
        if self.md5 != _KERAS_MD5:
            logging.warning(
                "%s is not the file that Keras downloads (md5 %s, expected %s): its figures "
                "compare only with others of the same file.",
                weights,
                self.md5,
                _KERAS_MD5,
            )

    def __call__(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """uint8 [H, W, 3] RGB pictures of any sizes -> float32 [N, 2048]."""
        resized = tf.stack([resize_for_inception(picture) for picture in pictures])
        return np.asarray(self._model(resized, training=False))


def resize_for_inception(picture: np.ndarray) -> tf.Tensor:
    """uint8 [H, W, 3] -> float32 [299, 299, 3] in [-1, 1], see `PROTOCOL`.

    Proportions are not kept, as ever with this measure. Without antialiasing the reduction would
    bring out grids that are not in the picture (Parmar et al., "On Aliased Resizing", CVPR 2022).
    """
    resized = tf.image.resize(to_float(picture), [_SIDE, _SIDE], method="bicubic", antialias=True)
    return tf.clip_by_value(resized, -1.0, 1.0)


def _application(weights: str | None) -> tf.keras.Model:
    return tf.keras.applications.InceptionV3(include_top=False, pooling="avg", weights=weights)


def _downloaded() -> tf.keras.Model:
    try:
        return _application("imagenet")
    except Exception as error:  # Keras raises no narrower kind when a download fails
        if "URL fetch failure" not in str(error):
            raise
        raise InceptionWeightsError(
            "the ImageNet weights of InceptionV3 could not be downloaded "
            f"({str(error).rpartition(' -- ')[2]}). Give the path of Keras' .h5 file with "
            "--weights=PATH; docs/measuring.md tells how to get it"
        ) from error


def _loaded(path: Path) -> tf.keras.Model:
    if not path.is_file():
        raise InceptionWeightsError(
            f"--weights: there is no file {path}. Give the path of InceptionV3's .h5 file in "
            'Keras\' format (the one without the classifier, "notop"), or "imagenet" to download it'
        )
    model = _application(None)
    try:
        # In the layers' order: most have names by which Keras numbers them, so no names to go by.
        model.load_weights(path)
    except (OSError, KeyError, ValueError) as error:
        raise InceptionWeightsError(
            f"--weights: {path} does not hold InceptionV3 without its classifier, in Keras' HDF5 "
            f"format ({error})"
        ) from error
    return model
