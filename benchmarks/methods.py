"""A training step of every method, against the arithmetic of its generator.

    python -m benchmarks.methods [--rounds 3] [--patch_size 128] [--batch_size 4]

The step is the adversarial one with each method's own losses, on the same number of crops of the
same size; VGG19 ends at block3_conv4 with all, so that it costs all the same. Steps are timed in
turns in one run and the least of each counts. The generator's multiply-accumulates are counted for
one pass forward. Weights are random, pictures synthetic, which costs the same.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf

from benchmarks._counts import multiply_accumulates
from benchmarks._records import Records, add_json_flag
from benchmarks._turns import in_turns
from benchmarks.training_step import draw_pictures
from wbc_tf.methods.registry import METHODS
from wbc_tf.training.loop import compile_step

BASE = "white_box"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--patch_size", type=int, default=128)
    parser.add_argument("--batch_size", type=int, default=4)
    add_json_flag(parser)
    options = parser.parse_args()
    records = Records(options.json)
    steps: dict[str, Callable[[], Any]] = {}
    counts: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        photos, cartoons = (draw_pictures(Path(folder, kind)) for kind in ("photos", "cartoons"))
        for name, spec in METHODS.items():
            config = spec.config(
                photo_dir=photos,
                cartoon_dir=cartoons,
                patch_size=options.patch_size,
                batch_size=options.batch_size,
                vgg="vgg19",
                vgg_layer="block3_conv4",
                vgg_weights="random",
            )
            method = spec.build(config)
            *before, last = method.phases()
            start = sum(phase.steps for phase in before)
            step = compile_step(last, tf.distribute.get_strategy())
            steps[name] = partial(step, next(iter(method.batches(start_step=start))), start)
            shape = (1, options.patch_size, options.patch_size, 3)
            counts[name] = multiply_accumulates(method.generator, shape)
        times = in_turns(options.rounds, steps)
    for name, seconds in times.items():
        pictures = options.batch_size / seconds
        slower, more = seconds / times[BASE], counts[name] / counts[BASE]
        print(
            f"{name:12} {pictures:5.2f} images/s, step {slower:.2f} and generator "
            f"{more:.2f} times {BASE}'s ({counts[name] / options.patch_size**2:.0f} MAC a pixel)"
        )
        records.add(f"{name}, training step", pictures, "images/s")
        if name != BASE:
            records.add(f"{name}, step's time to {BASE}'s", slower, "ratio")
            records.add(f"{name}, generator's arithmetic to {BASE}'s", more, "ratio")
    return records.status


if __name__ == "__main__":
    sys.exit(main())
