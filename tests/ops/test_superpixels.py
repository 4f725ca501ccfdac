from __future__ import annotations

import numpy as np
import pytest

from wbc_tf.ops.superpixels import felzenszwalb_labels, slic_labels


@pytest.mark.parametrize("find", [slic_labels, felzenszwalb_labels])
def test_labels_equal_the_released_program(golden, find):
    expected = getattr(golden, find.__name__)
    np.testing.assert_array_equal(find(golden.image, released=True), expected)


def test_slic_released_sees_red_as_blue(blotches):
    turned = np.ascontiguousarray(blotches[..., ::-1])
    np.testing.assert_array_equal(
        slic_labels(blotches, segments=20, released=True), slic_labels(turned, segments=20)
    )
    assert (slic_labels(blotches, segments=20) != slic_labels(turned, segments=20)).any()


@pytest.mark.parametrize("find", [slic_labels, felzenszwalb_labels])
def test_two_halves_are_two_regions(find):
    image = np.full((20, 31, 3), -0.5, np.float32)
    image[:, 15:] = (0.9, 0.1, -0.2)
    options = {"segments": 2} if find is slic_labels else {"min_size": 150}
    labels = find(image, **options)
    assert labels.shape == (20, 31)
    left, right = labels[:, :12], labels[:, 19:]
    assert (left == left[0, 0]).all()
    assert (right == right[0, 0]).all()
    assert left[0, 0] != right[0, 0]


def test_felzenszwalb_options(blotches):
    def regions(**options):
        labels = felzenszwalb_labels(blotches, **options)
        sizes = np.bincount(labels.ravel())
        assert sizes.min() >= options["min_size"]
        return len(sizes)

    assert regions(min_size=4) > regions(min_size=40)
    assert regions(min_size=4, scale=1.0) > regions(min_size=4, scale=300.0)
