"""Where the time of an adversarial step goes, part by part, as shares of the whole.

    python -m benchmarks.training_step [--precision float32] [--photo_dir F --cartoon_dir F]

All parts are timed in turns in one run and the least of each are compared: another load on the
machine can only add to a time. The parts alone do not add up to the step: they overlap in it, and
optimizers, filters and losses are in none. What superpixels and input cost *in* the step is the
step less one without them. Without folders the pictures are synthetic (blotches and noise);
weights are random, which costs the same.

Exits with 1 if superpixels and input together take more of the step than we allow them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf

from benchmarks._records import Records, add_json_flag
from benchmarks._turns import in_turns
from wbc_tf.files.pictures import write_image
from wbc_tf.images import to_uint8
from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.methods.white_box.method import WhiteBox
from wbc_tf.training.config import PRECISIONS
from wbc_tf.training.loop import compile_step

LARGEST_SHARE = 0.15


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--patch_size", type=int, default=256)
    parser.add_argument("--batch_size", type=int, default=4)
    parser.add_argument("--vgg", default="vgg19")
    parser.add_argument("--vgg_layer", default="block3_conv4")
    parser.add_argument("--structure", default="slic")
    parser.add_argument("--content_target", default="photo")
    parser.add_argument("--photo_dir")
    parser.add_argument("--cartoon_dir")
    add_json_flag(parser)
    settings = vars(parser.parse_args())
    records = Records(settings.pop("json"))
    rounds = settings.pop("rounds")
    with tempfile.TemporaryDirectory() as drawn:
        for name in ("photo_dir", "cartoon_dir"):
            settings[name] = settings[name] or draw_pictures(Path(drawn, name))
        config = WhiteBoxConfig(**settings, vgg_weights="random")
        times = timed(rounds, parts(config))

    whole = times["step"]
    print(
        f"{config.precision}, {config.batch_size} x {config.patch_size} px, {config.vgg} "
        f"{config.vgg_layer}: {whole * 1e3:.0f} ms a step, {config.batch_size / whole:.2f} images/s"
    )
    for name, seconds in times.items():
        print(f"  {name:34} {seconds * 1e3:7.0f} ms  {seconds / whole:6.1%}")
    share = 1 - times["step, one batch, no superpixels"] / whole
    print(f"superpixels and input within the step: {share:.1%} (at most {LARGEST_SHARE:.0%})")
    records.add("superpixels and input, to the step", share, "ratio", at_most=LARGEST_SHARE)
    records.add(
        f"step in {config.precision}, {config.batch_size} x {config.patch_size} px",
        whole * 1e3,
        "ms",
    )
    return records.status


def parts(config: WhiteBoxConfig) -> dict[str, Callable[[], Any]]:
    """What is timed, by name."""
    method = WhiteBox(config)
    without = WhiteBox(config)
    without._structure = tf.stop_gradient
    strategy = tf.distribute.get_strategy()
    adversarial = compile_step(method.phases()[1], strategy)
    no_superpixels = compile_step(without.phases()[1], strategy)
    batches = iter(method.batches(start_step=0))
    alone = iter(without.batches(start_step=0))
    batch = next(batches)
    photo, first = batch["photo"], method.phases()[0].steps
    generator, vgg = method.generator, method._vgg
    discriminators = (method.surface_discriminator, method.texture_discriminator)

    @tf.function
    def generator_both_ways() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(generator(photo))
        return tape.gradient(loss, generator.trainable_variables)

    @tf.function
    def vgg_of_output() -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(photo)
            loss = tf.reduce_mean(vgg(photo))
        return tape.gradient(loss, photo)

    @tf.function
    def vgg_of_targets() -> tuple[tf.Tensor, tf.Tensor]:
        return vgg(photo), vgg(batch["cartoon"])

    @tf.function
    def discriminators_both_ways() -> list[tf.Tensor]:
        gradients = []
        for network, fake, real in zip(
            discriminators, (photo, photo[..., :1]), (batch["cartoon"], batch["cartoon"][..., :1])
        ):
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(fake)
                fooled = tf.reduce_mean(network(fake))
                told = tf.reduce_mean(network(real)) + fooled
            gradients.append(tape.gradient(fooled, fake))
            gradients += tape.gradient(told, network.trainable_variables)
        return gradients

    return {
        "step": lambda: adversarial(next(batches), first),
        "step, one batch": lambda: adversarial(batch, first),
        "step, one batch, no superpixels": lambda: no_superpixels(batch, first),
        "generator alone, both ways": generator_both_ways,
        "vgg alone, output, both ways": vgg_of_output,
        "vgg alone, two targets, forward": vgg_of_targets,
        "discriminators alone, both ways": discriminators_both_ways,
        "superpixels alone": lambda: method._structure(photo),
        "input alone": lambda: next(alone),
    }


def timed(rounds: int, tasks: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Each task's least time in seconds.

    The input's is its mean: what was prefetched costs nothing, and then twice.
    """

    def fetched(task: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: tf.nest.map_structure(np.asarray, task())

    # The pause is for the batch after the last one to be ready, as it is made meanwhile.
    least = in_turns(rounds, {name: fetched(task) for name, task in tasks.items()}, pause=1)
    stream = tasks["input alone"]
    for _ in range(4):
        stream()
    begin = time.perf_counter()
    for _ in range(20):
        stream()
    return {**least, "input alone": (time.perf_counter() - begin) / 20}


def draw_pictures(folder: Path) -> str:
    """Fills a folder with a few generated pictures of 640 x 480."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for i in range(16):
        cells = random.uniform(-1, 1, [15, 20, 3]).repeat(32, axis=0).repeat(32, axis=1)
        picture = cells + 0.1 * random.standard_normal([480, 640, 3])
        write_image(folder / f"{i}.png", to_uint8(picture))
    return str(folder)


if __name__ == "__main__":
    sys.exit(main())
