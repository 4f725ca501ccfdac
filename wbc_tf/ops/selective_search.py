"""Joining alike neighbours, region by region (selective search, Uijlings et al., IJCV 2013)."""

from __future__ import annotations

import heapq

import numpy as np

from wbc_tf.ops.region_features import RegionFeatures, region_features


def merge_regions(
    image: np.ndarray, labels: np.ndarray, *, segments: int = 200, released: bool = False
) -> np.ndarray:
    """Joins the two most similar neighbours until few enough regions are left.

    The similarity of two regions is the sum of four numbers: the intersections of their colour and
    texture histograms, how small they are together, and how well they fill their common bounding
    box (Uijlings et al., equations 1 to 6, all weights 1). Neighbours share a side of a pixel. Of
    equally similar pairs the one that came up last goes first.

    Args:
      image: [H, W, 3] float32, RGB in [-1, 1].
      labels: [H, W] integers, 0 or above: the regions to start from.
      segments: when to stop: how many regions are to be left, at least 1.
      released: reproduce the authors' program merge for merge. The quirks of ``region_features``
        hold; ``segments`` is how many *pairs of neighbours* are to be left, which leaves some 90
        regions for 200 pairs; and the picture counts three times its pixels.

    Returns:
      [H, W] integers from 0 on, every number in use.
    """
    if segments < 1:
        raise ValueError(f"segments is {segments}, and at least 1 region must be left")
    labels = _renumbered(labels)
    regions = int(labels.max()) + 1
    pairs = _adjacent_pairs(labels, regions)
    if (len(pairs) if released else regions) <= segments:
        return labels

    picture_size = image.size if released else labels.size
    features = _GrowingFeatures(region_features(image, labels, released=released), picture_size)
    neighbors: dict[int, set[int]] = {region: set() for region in range(regions)}
    for first, second in pairs.tolist():
        neighbors[first].add(second)
        neighbors[second].add(first)
    # Entries are (-similarity, -order of appearance, first, second). Those of a region that is no
    # more stay in the heap and are passed over when they come up.
    heap = [
        (-similarity, -order, first, second)
        for order, (similarity, (first, second)) in enumerate(
            zip(features.similarity(pairs[:, 0], pairs[:, 1]).tolist(), pairs.tolist())
        )
    ]
    heapq.heapify(heap)
    appeared, pairs_left = len(heap), len(heap)
    joined_into = list(range(2 * regions))

    while (pairs_left if released else len(neighbors)) > segments:
        _, _, first, second = heapq.heappop(heap)
        if first not in neighbors or second not in neighbors:
            continue
        new = features.join(first, second)
        joined_into[first] = joined_into[second] = new
        around_first, around_second = neighbors.pop(first), neighbors.pop(second)
        around = sorted((around_first | around_second) - {first, second})
        pairs_left += len(around) + 1 - len(around_first) - len(around_second)
        for other in around:
            neighbors[other] -= {first, second}
            neighbors[other].add(new)
        neighbors[new] = set(around)
        for similarity, other in zip(features.similarity(np.array(around, int), new), around):
            heapq.heappush(heap, (-float(similarity), -appeared, other, new))
            appeared += 1

    # A region is always joined into one with a higher number: from the top down, each finds its
    # end in one step.
    for region in reversed(range(regions + features.joins)):
        joined_into[region] = joined_into[joined_into[region]]
    return _renumbered(np.array(joined_into[:regions])[labels])


class _GrowingFeatures:
    """The features of the first regions and of all that arise from joining them."""

    def __init__(self, features: RegionFeatures, picture_size: int):
        self.regions = len(features.size)
        self.joins = 0
        self.picture_size = picture_size
        # A join leaves one region less, so there can never be twice as many as at the start.
        self.color, self.texture, self.size, self.box = (
            np.concatenate([values, np.empty_like(values)]) for values in features
        )

    def similarity(self, first: np.ndarray, second: np.ndarray | int) -> np.ndarray:
        """[P]: how similar the regions ``first`` [P] are to ``second`` (Uijlings, eq. 6)."""
        # accumulate and not sum: bins one after the other, as the authors' program adds them. The
        # order of merges hangs on ties, and a sum by pairs would break them otherwise.
        color, texture = (
            np.add.accumulate(np.minimum(histogram[first], histogram[second]), axis=1)[:, -1]
            for histogram in (self.color, self.texture)
        )
        size = self.size[first] + self.size[second]
        low = np.minimum(self.box[first, :2], self.box[second, :2])
        high = np.maximum(self.box[first, 2:], self.box[second, 2:])
        around = (high - low).prod(axis=1)
        small = 1.0 - size / self.picture_size
        fill = 1.0 - (around - size) / self.picture_size
        return color + texture + small + fill

    def join(self, first: int, second: int) -> int:
        """Adds the region that two make together, and returns its number."""
        new = self.regions + self.joins
        self.joins += 1
        self.size[new] = self.size[first] + self.size[second]
        for histogram in (self.color, self.texture):
            histogram[new] = (
                histogram[first] * self.size[first] + histogram[second] * self.size[second]
            ) / self.size[new]
        self.box[new, :2] = np.minimum(self.box[first, :2], self.box[second, :2])
        self.box[new, 2:] = np.maximum(self.box[first, 2:], self.box[second, 2:])
        return new


def _renumbered(labels: np.ndarray) -> np.ndarray:
    """The same regions in the same order, numbered from 0 without gaps."""
    used = np.bincount(labels.ravel()) > 0
    return labels if used.all() else (np.cumsum(used) - 1)[labels]


def _adjacent_pairs(labels: np.ndarray, regions: int) -> np.ndarray:
    """[P, 2]: all pairs of regions that share a side of a pixel, lower number first, in order."""
    keys = []
    for one, other in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        differ = one != other
        one, other = one[differ], other[differ]
        keys.append(np.minimum(one, other) * regions + np.maximum(one, other))
    return np.stack(np.divmod(np.unique(np.concatenate(keys)), regions), axis=1)
