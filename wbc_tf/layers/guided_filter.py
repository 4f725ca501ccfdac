"""Guided image filter (He, Sun & Tang, "Guided Image Filtering", TPAMI 2013), differentiable.

The paper uses it twice: as the surface representation (section 3.1) and on the generator's output
to steer how sharp the result is (section 3.4).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf


def box_mean(images: tf.Tensor, *, radius: int) -> tf.Tensor:
    """Mean over the (2 radius + 1)² window around each pixel, borders by their true pixel count.

    TensorFlow's 'SAME' average pooling leaves the padding out of the mean, and a box is separable:
    two one-dimensional poolings cost a third of one square one at radius 5. At radius 1 the square
    one takes three quarters of their time.

    Args:
      images: [N, H, W, C].
      radius: in pixels; 0 returns the images unchanged.
    """

    # The pooling's own gradient takes ten times as long as the pooling, on a CPU. A pixel goes into
    # the means of just the pixels that go into its own, so the gradient is a box mean as well.
    @tf.custom_gradient
    def mean(images: tf.Tensor) -> Any:
        counts = _window_sizes(images, radius, axis=1) * _window_sizes(images, radius, axis=2)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return counts * _box_mean(upstream / counts, radius)

        return _box_mean(images, radius), gradient

    return mean(images)


def _box_mean(images: tf.Tensor, radius: int) -> tf.Tensor:
    side = 2 * radius + 1
    if radius == 1:
        return tf.nn.avg_pool2d(images, ksize=side, strides=1, padding="SAME")
    rows = tf.nn.avg_pool2d(images, ksize=(1, side), strides=1, padding="SAME")
    return tf.nn.avg_pool2d(rows, ksize=(side, 1), strides=1, padding="SAME")


def _window_sizes(images: tf.Tensor, radius: int, *, axis: int) -> tf.Tensor:
    """How many pixels a window has along an axis, at each place; broadcasts against the images."""
    size = tf.shape(images)[axis]
    place = tf.range(size)
    count = tf.minimum(place, radius) + tf.minimum(size - 1 - place, radius) + 1
    shape = [-1 if each == axis else 1 for each in range(4)]
    return tf.cast(tf.reshape(count, shape), images.dtype)


def guided_filter_coefficients(
    guide: tf.Tensor, target: tf.Tensor, *, radius: int, eps: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """The local linear model ``target = scale * guide + offset``, each channel by itself.

    He et al., equations 5, 6 and 8 (the coefficients averaged over all windows that hold a pixel).
    Computed in float32 whatever comes in: a box variance is a difference of near-equal numbers, and
    in half precision it cancels to zero or below, and then to NaN.

    For exported graphs: they hold TensorFlow's own operations only, since a saved custom gradient
    would be warned of at each load. To train through, `guided_filter` is the faster.

    Args:
      guide: [N, H, W, C] the picture whose edges are to be kept, [-1, 1].
      target: [N, H, W, C] the picture to be filtered.
      radius: of the window, in pixels.
      eps: variance (in squared units of the guide) below which a window counts as flat.

    Returns:
      scale and offset, float32 [N, H, W, C].
    """
    return _linear_model(guide, target, partial(_box_mean, radius=radius), eps)


def adjusted(
    guide: tf.Tensor,
    target: tf.Tensor,
    *,
    radius: int,
    eps: float,
    strength: tf.Tensor | float,
    delta: tf.Tensor | float,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The same linear model with the two settings that users have.

    ``filtered = delta * guided_filter(guide, target) + (1 - delta) * target`` (white-box paper,
    equation 9): less delta keeps more of what the network drew and is sharper. Then
    ``result = guide + strength * (filtered - guide)``: 0 is the photo, 1 the cartoon, and above 1
    lies what is still more unlike the photo. At delta 1 and strength 1 no bit changes.

    The scale stays the filter's at every delta, and the offset makes up for it. So the result at
    this size is the same, and at a larger size of the same photo (fast guided filter) the network's
    own picture gets the photo's fine detail too, as far as the network kept it: little in flat
    areas, all of it at sharp edges.

    Args:
      guide: [N, H, W, C] the photo, [-1, 1].
      target: [N, H, W, C] what the network made of it.
      radius: of the window, in pixels.
      eps: see `guided_filter_coefficients`.
      strength: scalar, 0 to 1.5.
      delta: scalar, 0 to 1.

    Returns:
      scale and offset, float32 [N, H, W, C].
    """
    scale, offset = guided_filter_coefficients(guide, target, radius=radius, eps=eps)
    unfiltered = tf.cast(target, tf.float32) - scale * tf.cast(guide, tf.float32)
    offset = delta * offset + (1.0 - delta) * unfiltered
    return strength * scale + (1.0 - strength), strength * offset


def guided_filter(guide: tf.Tensor, target: tf.Tensor, *, radius: int, eps: float) -> tf.Tensor:
    """Filters ``target`` so that its edges are those of ``guide``; float32 [N, H, W, C].

    See `guided_filter_coefficients` for the arguments.
    """
    scale, offset = _linear_model(guide, target, partial(box_mean, radius=radius), eps)
    return scale * tf.cast(guide, tf.float32) + offset


def _linear_model(
    guide: tf.Tensor, target: tf.Tensor, mean: Callable[[tf.Tensor], tf.Tensor], eps: float
) -> tuple[tf.Tensor, tf.Tensor]:
    guide = tf.cast(guide, tf.float32)
    target = tf.cast(target, tf.float32)
    guide_mean = mean(guide)
    target_mean = mean(target)
    covariance = mean(guide * target) - guide_mean * target_mean
    variance = mean(guide * guide) - guide_mean * guide_mean
    scale = covariance / (variance + eps)
    offset = target_mean - scale * guide_mean
    return mean(scale), mean(offset)


class GuidedFilter(tf.keras.layers.Layer):
    """`guided_filter` as a layer: ``GuidedFilter(radius=1, eps=5e-3)([guide, target])``.

    It has no weights and stays in float32 under every mixed-precision policy.
    """

    def __init__(self, *, radius: int, eps: float, **kwargs: Any) -> None:
        if radius < 0:
            raise ValueError(f"radius is a number of pixels, 0 or more, not {radius}")
        if eps <= 0:
            raise ValueError(f"eps must be positive, or flat windows divide by zero; not {eps}")
        super().__init__(**{**kwargs, "dtype": "float32"})  # a saved config names a dtype too
        self.radius = radius
        self.eps = eps

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        """Filters the second of ``(guide, target)`` by the first."""
        guide, target = inputs
        return guided_filter(guide, target, radius=self.radius, eps=self.eps)

    def get_config(self) -> dict[str, Any]:
        """What it takes to make this layer again."""
        return {**super().get_config(), "radius": self.radius, "eps": self.eps}
