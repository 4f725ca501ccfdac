"""Trains a method on two folders of pictures: ``python train.py``."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, quieten, run_command
from wbc_tf.cli.config_flags import config_from_flags, define_config_flags
from wbc_tf.cli.run_flags import define_run_flags
from wbc_tf.methods.registry import METHODS, method_spec
from wbc_tf.training.config import TrainingConfig
from wbc_tf.training.spec import MethodSpec

USAGE = """
Train a cartoonizer.

  python train.py --flagfile=configs/white_box.cfg --workdir=runs/mine \\
      --photo_dir=photos --cartoon_dir=frames
  python train.py --flagfile=configs/smoke.cfg

The run folder holds config.json, checkpoints, losses.jsonl, TensorBoard curves and sample grids; at
the end model/ is what cartoonize.py --model takes. Called again, a run goes on where it stopped.
"""


def define_flags(method: str | None = None) -> flags.FlagValues:
    """The command's flags; with a method's name, those of its config too."""
    values = new_flags()
    define_run_flags(values, methods=sorted(METHODS))
    if method is not None:
        define_config_flags(method_spec(method).config, values)
    return values


def main(values: flags.FlagValues) -> int:
    """Trains as the flags say; returns the exit status."""
    spec = method_spec(values.method)
    presets = spec.config.presets()
    preset = values.preset or values.method
    if preset not in presets:
        raise UsageError(f"no preset '{preset}'; there is {', '.join(presets)}")
    try:
        config = config_from_flags(presets[preset], values)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if values.dry_run:
        print(json.dumps({"method": spec.name, "config": json.loads(config.to_json())}, indent=2))
        return OK
    if values.workdir is None:
        raise UsageError("--workdir is missing: the folder of the run")
    return _train(spec, config, values)


def _train(spec: MethodSpec, config: TrainingConfig, values: flags.FlagValues) -> int:
    from wbc_tf.inference.device import DeviceError, use_device
    from wbc_tf.methods.train_run import FAILURES, REFUSALS, RunSettings, train_run
    from wbc_tf.training.loop import LoopSettings

    workdir = Path(values.workdir)
    loop = LoopSettings(values.checkpoint_every, values.sample_every, values.log_every)
    settings = RunSettings(workdir, values.resume, values.distribute, values.deterministic, loop)
    try:
        use_device(values.device)
        outcome = train_run(spec, config, settings)
    except (DeviceError, *REFUSALS) as error:
        raise UsageError(str(error)) from error
    except FAILURES as error:
        print(error, file=sys.stderr)
        return FAILED
    if not outcome.finished:
        print(f"Stopped and saved. The same command goes on from there ({workdir}).")
        return 128 + (outcome.signal or signal.SIGTERM)
    print(f"Done. Try: python cartoonize.py --model={workdir / 'model'} --input=... --output=...")
    return OK


def run() -> None:
    """Console entry point."""
    # The method decides which further flags there are.
    first = define_flags()
    try:
        first(sys.argv, known_only=True)
        quieten(first.verbose)
        values = define_flags(first.method)
    except (flags.Error, ValueError) as error:
        print(f"{os.path.basename(sys.argv[0])}: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(run_command(main, values, usage=USAGE))


if __name__ == "__main__":
    run()
