from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from wbc_tf.images import to_float, to_uint8
from wbc_tf.ops.edge_smoothing import blurred_in, edge_region, smooth_edges


@pytest.fixture(scope="module", params=[0, 1])
def cartoon(request, shared):
    """A comic panel and each step of the TensorFlow port's program, with its grey from RGB."""
    with np.load(shared / "reference/cartoongan/edge_smooth.npz") as figures:
        names = {name: f"rgb_{name}_{request.param}" for name in ("gray", "dilated", "smoothed")}
        names["image"] = f"image_{request.param}"
        return SimpleNamespace(**{name: figures[key] for name, key in names.items()})


@pytest.fixture(scope="module", params=["cartoongan", "animegan_v2"])
def steps(request, shared):
    """The same steps from two programs, each from the grey picture that it read by itself."""
    with np.load(shared / "reference" / request.param / "edge_smooth.npz") as figures:
        if request.param == "cartoongan":
            names = ["gray_1", "edges_1", "dilated_1", "image_1", "smoothed_1"]
        else:
            names = ["1/gray", "1/edges", "1/dilation", "1/bgr", "1/smooth_bgr"]
        fields = ("gray", "edges", "dilated", "image", "smoothed")
        return SimpleNamespace(**{field: figures[name] for field, name in zip(fields, names)})


def test_equals_the_published_procedure(cartoon):
    smooth = smooth_edges(to_float(cartoon.image)[None])
    assert smooth.dtype == np.float32
    np.testing.assert_array_equal(to_uint8(smooth[0]), cartoon.smoothed)
    outside = cartoon.dilated == 0
    assert 0.1 < outside.mean() < 0.9
    np.testing.assert_array_equal(smooth[0][outside], to_float(cartoon.image)[outside])


def test_each_step_equals_the_published_one(steps):
    edges = edge_region(steps.gray, 100, 200, dilation=1)
    np.testing.assert_array_equal(edges, steps.edges > 0)
    region = edge_region(steps.gray, 100, 200, dilation=5)
    np.testing.assert_array_equal(region, steps.dilated > 0)
    np.testing.assert_array_equal(blurred_in(region, steps.image, size=5), steps.smoothed)


def test_a_step_is_blurred_by_the_binomial_weights():
    """Not square, by hand: black, then white from column 10 on; 255 / 16 of it is cut off."""
    image = np.full([1, 12, 20, 3], -1, np.float32)
    image[:, :, 10:] = 1
    row = to_uint8(smooth_edges(image, dilation=9))[0, 6, :, 0]
    np.testing.assert_array_equal(row[:8], 0)
    np.testing.assert_array_equal(row[8:12], [255 * n // 16 for n in (1, 5, 11, 15)])
    np.testing.assert_array_equal(row[12:], 255)


def test_pixels_that_are_no_edge_keep_every_bit():
    flat = np.random.default_rng(0).uniform(-0.02, 0.02, [2, 16, 24, 3]).astype(np.float32)
    np.testing.assert_array_equal(smooth_edges(flat), flat)


def test_lower_thresholds_find_more_edges():
    gray = np.tile(np.uint8([100] * 10 + [120] * 10), [8, 1])  # a Sobel gradient of 80
    assert not edge_region(gray, 100, 200, dilation=1).any()
    assert edge_region(gray, 30, 60, dilation=1).any()


def test_what_cannot_be_is_refused():
    images = np.zeros([1, 8, 8, 3], np.float32)
    with pytest.raises(ValueError, match="blur is 4"):
        smooth_edges(images, blur=4)
    with pytest.raises(ValueError, match="dilation is 0"):
        smooth_edges(images, dilation=0)
    with pytest.raises(ValueError, match=r"\[N, H, W, 3\], got \[8, 8, 3\]"):
        smooth_edges(images[0])
