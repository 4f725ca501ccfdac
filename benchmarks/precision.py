"""What half precision gains, and what it costs the picture.

    python -m benchmarks.precision [--model models/authors] [--precision bfloat16] [--photo FILE]

The network is timed in float32 and in the other precision, in turns in one run, and the least of
each are compared: another load on the machine can only add to a time. The pictures are compared as
they are written, in uint8.

Exits with 1 if a figure misses its bound; the bounds are those we hold ourselves to.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks._records import Records, add_json_flag
from wbc_tf.files.pictures import read_rgb
from wbc_tf.images import reduce_to_short_side
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.precision import PrecisionError

AT_LEAST_TIMES_AS_FAST = 1.6
AT_LEAST_DECIBELS = 40


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="white_box")
    parser.add_argument("--precision", default="bfloat16")
    parser.add_argument("--photo", type=Path, help="scikit-image's cat where there is none")
    parser.add_argument("--short_side", type=int, default=240)
    parser.add_argument("--rounds", type=int, default=25)
    add_json_flag(parser)
    options = parser.parse_args()
    records = Records(options.json)
    try:
        half = Cartoonizer.load(options.model, precision=options.precision)
    except PrecisionError as error:
        print(error, file=sys.stderr)
        records.skip(f"{options.precision}, to float32", str(error))
        return records.status
    full = Cartoonizer.load(options.model)
    photo = reduce_to_short_side(the_photo(options.photo), options.short_side)

    pictures = [draw(photo, short_side=0) for draw in (full, half)]  # and warms up
    times: list[list[float]] = [[], []]
    for _ in range(options.rounds):
        for draw, taken in zip((full, half), times):
            start = time.perf_counter()
            draw(photo, short_side=0)
            taken.append(time.perf_counter() - start)
    slow, fast = (min(taken) for taken in times)
    megapixels = photo.shape[0] * photo.shape[1] / 1e6
    difference = pictures[0].astype(float) - pictures[1]
    decibels = 20 * np.log10(255 / np.sqrt(np.mean(difference**2)))
    print(f"{photo.shape[1]}x{photo.shape[0]}, megapixels a second")
    print(f"  float32 {megapixels / slow:.2f}, {options.precision} {megapixels / fast:.2f}")
    print(f"  {slow / fast:.2f} times as fast (at least {AT_LEAST_TIMES_AS_FAST})")
    print(
        f"  PSNR of the {options.precision} picture {decibels:.1f} dB (at least "
        f"{AT_LEAST_DECIBELS}), largest difference {np.abs(difference).max():.0f} of 255"
    )
    records.add(
        f"speed in {options.precision}, to float32",
        slow / fast,
        "ratio",
        at_least=AT_LEAST_TIMES_AS_FAST,
    )
    records.add(f"{options.precision} picture, PSNR", decibels, "dB", at_least=AT_LEAST_DECIBELS)
    return records.status


def the_photo(path: Path | None) -> np.ndarray:
    if path is not None:
        return read_rgb(path)
    from skimage import data

    return np.asarray(data.chelsea())


if __name__ == "__main__":
    sys.exit(main())
