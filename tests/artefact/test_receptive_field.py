from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.receptive_field import ReceptiveField, receptive_field
from wbc_tf.layers.guided_filter import box_mean
from wbc_tf.layers.resize import upsample_2x


def _convolution(size: int, *, strides: int = 1, dilation: int = 1) -> Callable:
    kernel = tf.ones([size, size, 3, 3])
    return lambda x: tf.nn.conv2d(x, kernel, strides, "SAME", dilations=dilation)


def _chain(*layers: Callable) -> Callable:
    def network(x: tf.Tensor) -> tf.Tensor:
        for layer in layers:
            x = layer(x)
        return x

    return network


def _tall(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.avg_pool2d(x, (5, 1), 1, "SAME")


# Strided 'SAME' windows of 3 begin at their own pixel and reach two to the right.
@pytest.mark.parametrize(
    ("network", "halo", "multiple"),
    [
        (tf.identity, 0, 1),
        (_convolution(7), 3, 1),
        (_convolution(3, dilation=4), 4, 1),
        (_chain(_convolution(3), tf.nn.leaky_relu, _convolution(5)), 1 + 2, 1),
        (_tall, 2, 1),
        (lambda x: {"a": x, "b": box_mean(x, radius=4) * x}, 4, 1),
        (_chain(_convolution(3, strides=2), upsample_2x), 2 + 1, 2),
        (_chain(_convolution(3, strides=2), _convolution(3), upsample_2x), 2 + 2 + 1, 2),
        (lambda x: x + 2 * _convolution(3)(x), 1, 1),
    ],
    ids=["nothing", "7x7", "dilated", "two", "tall", "branches", "down and up", "coarse", "skip"],
)
def test_by_hand_and_by_experiment(network: Callable, halo: int, multiple: int) -> None:
    assert receptive_field(network) == ReceptiveField(halo=halo, size_multiple=multiple)
    assert farthest_influence(network, multiple) == halo


def farthest_influence(network: Callable, multiple: int, side: int = 32) -> int:
    """How far from a pixel that is not a number the output is none either."""
    farthest = 0
    for offset in range(multiple):
        at = side // 2 + offset
        photo = np.ones([1, side, side, 3], np.float32)
        photo[0, at, at] = np.nan
        for output in tf.nest.flatten(network(tf.constant(photo))):
            rows, columns = np.nonzero(np.isnan(output[0, :, :, 0]))
            farthest = max(farthest, np.abs(rows - at).max(), np.abs(columns - at).max())
    return farthest


def test_what_sees_everything_or_is_unknown_is_refused_by_name() -> None:
    for network, kind in ((lambda x: x - tf.reduce_mean(x), "Mean"), (tf.math.cumsum, "Cumsum")):
        with pytest.raises(ValueError, match=f"type {kind}"):
            receptive_field(network)


def test_other_resampling_and_padding_are_refused() -> None:
    def half_pixel(x: tf.Tensor) -> tf.Tensor:
        return tf.image.resize(x, [512, 512])

    with pytest.raises(ValueError, match="ResizeBilinear"):
        receptive_field(half_pixel)
    with pytest.raises(ValueError, match="'SAME'"):
        receptive_field(lambda x: tf.nn.avg_pool2d(x, 3, 1, "VALID"))


def test_an_output_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="height and width"):
        receptive_field(upsample_2x)
    with pytest.raises(ValueError, match="different grids"):
        receptive_field(lambda x: _convolution(1, strides=256)(x) + x)
