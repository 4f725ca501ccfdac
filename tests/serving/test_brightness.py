from __future__ import annotations

import numpy as np
import tensorflow as tf

from wbc_tf.inference import brightness
from wbc_tf.serving.brightness import match_brightness


def test_is_what_the_command_line_does() -> None:
    random = np.random.default_rng(0)
    graph = tf.function(
        match_brightness, input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)] * 2
    )
    for high in (1, 60, 256):  # the first one is black
        cartoon = random.integers(0, high, [31, 47, 3], dtype=np.uint8)
        photo = random.integers(0, 256, [62, 94, 3], dtype=np.uint8)
        expected = brightness.match_brightness(cartoon, photo)
        np.testing.assert_array_equal(graph(cartoon, photo), expected)
