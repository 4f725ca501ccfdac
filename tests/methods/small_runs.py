"""A method's small runs, for a fresh process: TensorFlow must not have started yet."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from tests.methods.small import SPECS
from wbc_tf import train
from wbc_tf.cli.command_line import OK, run_command
from wbc_tf.methods.registry import METHODS
from wbc_tf.training import loop


def _by_the_command(name: str, fields: dict[str, Any], workdir: Path) -> None:
    settings = {**fields, "method": name, "workdir": workdir, "checkpoint_every": 4}
    argv = ["train", "--deterministic", *(f"--{key}={settings[key]}" for key in settings)]
    status = run_command(train.main, train.define_flags(name), usage="", argv=argv)
    assert status == OK, f"{name} was not trained"


def _to_the_end(
    name: str, fields: dict[str, Any], workdir: Path, strategy: tf.distribute.Strategy
) -> None:
    spec = SPECS[name]
    with strategy.scope():
        method = spec.build(spec.config(**fields))
    loop.train(method, workdir=workdir, settings=loop.LoopSettings(4), strategy=strategy)


def train_small_runs(name: str, fields: dict[str, Any], folder: Path) -> None:
    """Trains six steps, three times.

    In one go by the command, and twice more from that run's checkpoint of step 4 on, on one device
    and on two. Of the first run, only the last checkpoint stays.

    Args:
      name: of the method.
      fields: of its config.
      folder: where ``unbroken``, ``resumed`` and ``two`` are made.
    """
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    METHODS.update(SPECS)
    unbroken = folder / "unbroken"
    _by_the_command(name, fields, unbroken)
    for run, strategy in (
        ("resumed", tf.distribute.get_strategy()),
        ("two", tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])),
    ):
        workdir = shutil.copytree(unbroken, folder / run)
        for later in (workdir / "checkpoints").glob("step-6.*"):
            later.unlink()
        _to_the_end(name, fields, workdir, strategy)
    for earlier in (unbroken / "checkpoints").glob("step-[04].*"):
        earlier.unlink()
