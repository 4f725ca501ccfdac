"""What the structure maps cost, as multiples of the scikit-image calls they cannot do without.

    python -m benchmarks.structure [--rounds 10] [--pictures FOLDER]

The times of a line are taken in turns in one run, and the least of each are compared: another load
on the machine can only add to a time. Pictures are 256 x 256: the first ones of the folder, cropped
at the centre; without a folder they are generated: soft blotches, shading and noise.

Exits with 1 if a ratio misses its bound; the bounds are those we hold ourselves to.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.segmentation import felzenszwalb, slic

from benchmarks._records import Records, add_json_flag
from benchmarks._turns import side_by_side
from wbc_tf.files.pictures import read_rgb
from wbc_tf.images import to_float
from wbc_tf.ops.pool import StructurePool
from wbc_tf.ops.structure_map import structure_map

SIDE = 256
BATCH = 16


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--pictures", type=Path)
    add_json_flag(parser)
    options = parser.parse_args()
    records = Records(options.json)
    pictures = photos(options.pictures) if options.pictures else drawings()

    print(f"one picture of {SIDE} x {SIDE}, in ms")
    for name, bare, ours, bound in (
        ("adaptive", bare_felzenszwalb, structure_map, 1.9),
        ("adaptive released", bare_felzenszwalb, released(kind="adaptive"), 1.9),
        ("slic", bare_slic, functools.partial(structure_map, kind="slic"), 1.15),
        ("slic released", bare_slic, released(kind="slic"), 1.15),
    ):
        # Picture by picture: a short time is more often an undisturbed one.
        times = [
            side_by_side(options.rounds, functools.partial(bare, p), functools.partial(ours, p))
            for p in pictures[:4]
        ]
        base, cost = np.mean(times, axis=0)
        print(
            f"  {name:18} {cost * 1e3:6.1f}, scikit-image's call alone {base * 1e3:6.1f}: "
            f"ratio {cost / base:.2f} (at most {bound})"
        )
        records.add(f"{name}, to scikit-image's call alone", cost / base, "ratio", at_most=bound)

    print(f"batch of {BATCH}, in ms")
    with StructurePool(1) as one, StructurePool(2) as two:
        for name, arguments, bound in (
            ("adaptive", {}, 1.6),
            ("adaptive released", {"released": True}, 1.6),
            ("slic", {"kind": "slic"}, 1.7),
        ):
            alone, together = side_by_side(
                max(3, options.rounds // 2),
                lambda a=arguments: one.map(pictures, a),
                lambda a=arguments: two.map(pictures, a),
            )
            print(
                f"  {name:18} 1 worker {alone * 1e3:6.0f}, 2 workers {together * 1e3:6.0f}: "
                f"{alone / together:.2f} times as fast (at least {bound})"
            )
            records.add(
                f"{name}, {BATCH} on two workers, to one",
                alone / together,
                "ratio",
                at_least=bound,
            )
    return records.status


def bare_felzenszwalb(picture: np.ndarray) -> None:
    felzenszwalb(picture, scale=10, sigma=0.8, min_size=100)


def bare_slic(picture: np.ndarray) -> None:
    slic(picture, n_segments=200, compactness=10, sigma=1)


def released(kind: str) -> Callable[[np.ndarray], np.ndarray]:
    return functools.partial(structure_map, kind=kind, released=True)


def drawings() -> np.ndarray:
    random = np.random.default_rng(0)
    pictures = []
    for _ in range(BATCH):
        blotches = gaussian_filter(random.normal(0, 1, (SIDE, SIDE, 3)), (9, 9, 0)) * 40
        shading = np.linspace(-0.4, 0.4, SIDE)[:, np.newaxis, np.newaxis]
        grain = random.normal(0, 0.04, (SIDE, SIDE, 3))
        pictures.append(np.sign(blotches) * 0.4 + 0.1 * blotches + shading + grain)
    return np.clip(pictures, -1, 1).astype(np.float32)


def photos(folder: Path) -> np.ndarray:
    pictures: list[np.ndarray] = []
    for path in sorted(folder.iterdir()):
        rgb = read_rgb(path)
        top, left = (rgb.shape[0] - SIDE) // 2, (rgb.shape[1] - SIDE) // 2
        if min(top, left) >= 0:
            pictures.append(to_float(rgb[top : top + SIDE, left : left + SIDE]))
        if len(pictures) == BATCH:
            return np.stack(pictures)
    raise SystemExit(f"{folder} holds fewer than {BATCH} pictures of at least {SIDE} x {SIDE}")


if __name__ == "__main__":
    sys.exit(main())
