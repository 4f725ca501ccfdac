"""Large pictures: the memory they take, and whether tiles show.

    python -m benchmarks.large_pictures [--model models/authors] [--precision auto]

Each line is a process of its own, whose largest resident size is taken. At 3000 x 2000 the picture
made in tiles of several sizes is compared with one made whole; 7680 x 4320 and a panorama of
100000 x 64 are made at their own size within the default budget. Half precision takes as much
memory and a quarter of the time; in float32 the run takes some ten minutes on two cores.

Exits with 1 if a figure misses its bound; the bounds are those we hold ourselves to.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys

import numpy as np

from benchmarks._records import Records, add_json_flag

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

MEBI = 2**20
AT_MOST_MEGABYTES = 2500
AT_MOST_LEVELS = 1
# More than any of these pictures takes.
WHOLE = 10**6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="white_box")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    add_json_flag(parser)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.model, options.precision, **json.loads(options.one))))
        return 0

    def in_a_process(**settings: object) -> dict[str, float]:
        command = [sys.executable, "-m", "benchmarks.large_pictures", f"--model={options.model}"]
        command += [f"--precision={options.precision}", f"--one={json.dumps(settings)}"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    records = Records(options.json)
    for height, width in ((4320, 7680), (64, 100_000)):
        found = in_a_process(height=height, width=width, budgets=[1024])
        print(
            f"{width}x{height}: {found['megabytes']:.0f} MB at most in use "
            f"(at most {AT_MOST_MEGABYTES})"
        )
        records.add(
            f"{width} x {height}, most memory in use",
            found["megabytes"],
            "MB",
            at_most=AT_MOST_MEGABYTES,
        )
    found = in_a_process(height=2000, width=3000, budgets=[WHOLE, 64, 256, 1024])
    print(f"3000x2000: tiles differ by {found['levels']} of 255 (at most {AT_MOST_LEVELS})")
    records.add("tiles against the whole", found["levels"], "grey levels", at_most=AT_MOST_LEVELS)
    return records.status


def measure(
    model: str, precision: str, *, height: int, width: int, budgets: list[int]
) -> dict[str, float]:
    from wbc_tf.inference.cartoonizer import Cartoonizer

    photo = drawing(height, width)
    first, levels = None, 0
    for budget in budgets:
        draw = Cartoonizer.load(model, precision=precision, memory_budget=budget)
        cartoon = draw(photo, short_side=0)
        if first is None:
            first = cartoon
        else:
            levels = max(levels, int(np.abs(cartoon.astype(np.int16) - first).max()))
    # Linux counts in KiB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"megabytes": peak / MEBI, "levels": levels}


def drawing(height: int, width: int) -> np.ndarray:
    """Flat patches of 16 x 16 with grain: edges, and detail between them."""
    random = np.random.default_rng(0)
    patches = random.integers(16, 240, (-(-height // 16), -(-width // 16), 3), dtype=np.uint8)
    photo = patches.repeat(16, axis=0).repeat(16, axis=1)[:height, :width]
    photo += random.integers(0, 16, photo.shape, dtype=np.uint8)
    return photo


if __name__ == "__main__":
    sys.exit(main())
