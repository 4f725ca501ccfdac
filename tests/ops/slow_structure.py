"""Selective search and region colours the long way round, as a second witness.

Nothing here is shared with wbc_tf: pixel by pixel, one region after the other, all pairs looked
through at each merge. scikit-image and numpy.histogram stand in for our own patterns and bins.
"""

from __future__ import annotations

import warnings

import numpy as np
from skimage.color import rgb2lab
from skimage.feature import local_binary_pattern


def regions_of(labels):
    """{label: its pixels (row, column) in reading order}."""
    regions = {}
    for row in range(labels.shape[0]):
        for column in range(labels.shape[1]):
            regions.setdefault(int(labels[row, column]), []).append((row, column))
    return dict(sorted(regions.items()))


def mean_in_float32(image, pixels):
    total = np.zeros(3, np.float32)
    for row, column in pixels:
        total = total + image[row, column]
    return total / np.float32(len(pixels))


def slow_merge(image, labels, *, segments, released):
    """The partition after merging, as a set of frozen sets of pixels."""
    lab = _lab(image, labels, released)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-image would rather see integers.
        patterns = np.stack([local_binary_pattern(lab[..., c], 8, 1) for c in range(3)], axis=-1)
    regions = regions_of(labels)
    size_of_one = len(list(regions.values())[min(1, len(regions) - 1)])
    described = {
        name: _describe(pixels, lab, patterns, released, size_of_one)
        for name, pixels in regions.items()
    }
    total = image.size if released else labels.size
    # In the order in which they came up; a later pair wins against an equally similar earlier one.
    pairs = [
        (a, b, _similarity(described[a], described[b], total))
        for a in regions
        for b in regions
        if a < b and _touch(regions[a], regions[b])
    ]
    while (len(pairs) if released else len(regions)) > segments:
        best = pairs[0]
        for pair in pairs:
            if pair[2] >= best[2]:
                best = pair
        a, b, _ = best
        new = max(regions) + 1
        pixels = regions.pop(a) + regions.pop(b)
        first, second = described.pop(a), described.pop(b)
        if released:
            described[new] = _average(first, second)
        else:
            described[new] = _describe(pixels, lab, patterns, released, size_of_one)
        around = [name for name in regions if _touch(regions[name], pixels)]
        regions[new] = pixels
        pairs = [pair for pair in pairs if not {a, b} & set(pair[:2])]
        pairs += [(n, new, _similarity(described[n], described[new], total)) for n in around]
    return {frozenset(pixels) for pixels in regions.values()}


def slow_colors(image, labels, *, power, released):
    """The adaptively coloured picture."""
    painted = np.zeros_like(image)
    for pixels in regions_of(labels).values():
        values = np.array([image[p] for p in pixels])
        color = values.mean(axis=0, dtype=np.float64)
        if not released:
            deviation = np.std(values.astype(np.float64)) * 127.5
            median = np.median(values, axis=0)
            if deviation >= 40:
                color = median
            elif deviation >= 20:
                color = (color + median) / 2
        for p in pixels:
            painted[p] = color
    painted = (((painted + 1) / 2).clip(0, 1)) ** power
    if released and painted.max() > 0:
        painted = painted / painted.max()
    return painted * 2 - 1


def _lab(image, labels, released):
    if not released:
        return rgb2lab((image + 1) / 2)
    flat = np.zeros_like(image)
    for pixels in regions_of(labels).values():
        for p in pixels:
            flat[p] = mean_in_float32(image, pixels)
    return rgb2lab(np.ascontiguousarray(flat[..., ::-1]))


def _describe(pixels, lab, patterns, released, size_of_one):
    rows, columns = [p[0] for p in pixels], [p[1] for p in pixels]
    color, texture = [], []
    for channel in range(3):
        colors = np.array([lab[p][channel] for p in pixels])
        codes = np.array([patterns[p][channel] for p in pixels])
        limits = (0, 100) if channel == 0 else (-128, 128)
        color += np.histogram(colors, 25, None if released else limits)[0].tolist()
        texture += np.histogram(codes, 10, None if released else (0, 256))[0].tolist()
    return {
        "color": [count / sum(color) for count in color],
        "texture": [count / sum(texture) for count in texture],
        "size": size_of_one if released else len(pixels),
        "box": (min(rows), min(columns), max(rows) + 1, max(columns) + 1),
    }


def _average(first, second):
    a, b = first["size"], second["size"]
    low = [min(pair) for pair in zip(first["box"][:2], second["box"][:2])]
    high = [max(pair) for pair in zip(first["box"][2:], second["box"][2:])]
    joined = {"size": a + b, "box": (*low, *high)}
    for name in ("color", "texture"):
        joined[name] = [(x * a + y * b) / (a + b) for x, y in zip(first[name], second[name])]
    return joined


def _similarity(first, second, total):
    similarity = 0.0
    for name in ("color", "texture"):
        alike = 0.0
        for x, y in zip(first[name], second[name]):
            alike += min(x, y)
        similarity += alike
    size = first["size"] + second["size"]
    height = max(first["box"][2], second["box"][2]) - min(first["box"][0], second["box"][0])
    width = max(first["box"][3], second["box"][3]) - min(first["box"][1], second["box"][1])
    similarity += 1.0 - size / total
    similarity += 1.0 - (height * width - size) / total
    return similarity


def _touch(pixels, others):
    others = set(others)
    return any(
        neighbor in others
        for row, column in pixels
        for neighbor in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
    )
