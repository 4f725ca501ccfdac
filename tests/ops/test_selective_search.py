from __future__ import annotations

import numpy as np
import pytest

from tests.ops.slow_structure import regions_of, slow_merge
from wbc_tf.ops.selective_search import merge_regions
from wbc_tf.ops.superpixels import felzenszwalb_labels


def partition(labels):
    return {frozenset(pixels) for pixels in regions_of(labels).values()}


def test_partition_equals_the_released_program(golden):
    labels = felzenszwalb_labels(golden.image, released=True)
    merged = merge_regions(golden.image, labels, released=True)
    assert partition(merged) == partition(golden.merged_labels)
    assert merged.max() + 1 == len(np.unique(merged)) < labels.max() + 1


@pytest.mark.parametrize(("segments", "released"), [(1, False), (7, True), (20, False)])
def test_partition_equals_the_slow_reference(blotches, segments, released):
    labels = felzenszwalb_labels(blotches, min_size=8, released=released)
    assert labels.max() + 1 > 20
    merged = merge_regions(blotches, labels, segments=segments, released=released)
    expected = slow_merge(blotches, labels, segments=segments, released=released)
    assert partition(merged) == expected
    assert len(expected) < labels.max() + 1


@pytest.mark.parametrize("released", [False, True])
def test_ties_are_broken_as_in_the_slow_reference(released):
    """Squares of two alternating colours: nearly every similarity occurs many times over."""
    colors = np.array([[-0.3, 0.2, 0.8], [0.5, -0.6, 0.1]], np.float32)
    board = np.add.outer(np.arange(5), np.arange(7))
    labels = np.kron(np.arange(35).reshape(5, 7), np.ones((4, 4), int))
    image = np.kron(colors[board % 2], np.ones((4, 4, 1), np.float32))
    merged = merge_regions(image, labels, segments=12, released=released)
    assert partition(merged) == slow_merge(image, labels, segments=12, released=released)


def test_merges_down_to_the_number_of_regions(blotches):
    labels = felzenszwalb_labels(blotches, min_size=4)
    for segments in (1, 2, 17):
        merged = merge_regions(blotches, labels, segments=segments)
        assert sorted(np.unique(merged)) == list(range(segments))


def test_gaps_between_the_numbers_do_not_matter(blotches):
    labels = felzenszwalb_labels(blotches, min_size=8)
    merged = merge_regions(blotches, labels, segments=9)
    np.testing.assert_array_equal(merge_regions(blotches, labels * 3 + 5, segments=9), merged)


@pytest.mark.parametrize("released", [False, True])
def test_one_region_stays_one(released):
    merged = merge_regions(
        np.zeros((3, 4, 3), np.float32), np.ones((3, 4), int), segments=1, released=released
    )
    np.testing.assert_array_equal(merged, np.zeros((3, 4)))


def test_no_region_at_all_is_refused(blotches):
    with pytest.raises(ValueError, match="at least 1"):
        merge_regions(blotches, np.zeros(blotches.shape[:2], int), segments=0)
