"""Trains a method on two folders of pictures: ``python train.py``."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, quieten, run_command
from wbc_tf.cli.config_flags import config_from_flags, define_config_flags
from wbc_tf.methods.registry import METHODS, method_spec
from wbc_tf.training.spec import MethodSpec

if TYPE_CHECKING:
    from wbc_tf.training.method import Method

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
    flags.DEFINE_string("method", "white_box", " | ".join(sorted(METHODS)), flag_values=values)
    flags.DEFINE_string(
        "preset", "", "Recipe to start from; by default the method's own name.", flag_values=values
    )
    flags.DEFINE_string("workdir", None, "Folder of the run.", flag_values=values)
    flags.DEFINE_boolean(
        "resume",
        True,
        "Go on from the run folder's newest checkpoint. --noresume refuses a folder with a run.",
        flag_values=values,
    )
    flags.DEFINE_boolean(
        "dry_run", False, "Show the resolved config, write nothing.", flag_values=values
    )
    flags.DEFINE_integer(
        "checkpoint_every", 500, "Steps between checkpoints.", lower_bound=1, flag_values=values
    )
    flags.DEFINE_integer(
        "sample_every", 500, "Steps between sample grids.", lower_bound=1, flag_values=values
    )
    flags.DEFINE_enum(
        "distribute",
        "none",
        ["none", "mirrored", "multi_worker"],
        "One device, all devices of this machine, or the workers that TF_CONFIG names (their "
        "--workdir must be one folder that all can reach). --batch_size is always the whole batch, "
        "shared out among them.",
        flag_values=values,
    )
    flags.DEFINE_boolean(
        "deterministic",
        False,
        "Make every operation give the same bits each time, at some cost in speed.",
        flag_values=values,
    )
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
    document = {"method": values.method, "config": json.loads(config.to_json())}
    if values.dry_run:
        print(json.dumps(document, indent=2))
        return OK
    if values.workdir is None:
        raise UsageError("--workdir is missing: the folder of the run")
    return _train(spec, config, document, values)


def _train(
    spec: MethodSpec, config: Any, document: dict[str, Any], values: flags.FlagValues
) -> int:
    import tensorflow as tf

    from wbc_tf.artefact.weights import WeightsError
    from wbc_tf.data.pictures import ImageFolderError
    from wbc_tf.files.whole import write_whole
    from wbc_tf.methods.runs import RunRecord, export_generator
    from wbc_tf.training.loop import LoopSettings, TrainingDivergedError, is_chief, train
    from wbc_tf.training.provenance import source_commit

    workdir = Path(values.workdir)
    _refuse_mixing(workdir, document, config, resume=values.resume)
    strategy = _strategy(values.distribute)
    if values.deterministic:
        tf.config.experimental.enable_op_determinism()
    devices = strategy.num_replicas_in_sync
    if config.batch_size % devices:
        raise UsageError(
            f"--batch_size={config.batch_size} cannot be shared out evenly among {devices} "
            f"devices; give a multiple of {devices}"
        )
    try:
        with strategy.scope():
            method = spec.build(config)
        workdir.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:  # folders, files and names that the config gives
        raise UsageError(str(error)) from error
    document["commit"] = source_commit()
    if is_chief(strategy):
        write_whole(workdir / "config.json", (json.dumps(document, indent=2) + "\n").encode())
    settings = LoopSettings(
        checkpoint_every=values.checkpoint_every, sample_every=values.sample_every
    )
    try:
        outcome = train(method, workdir=workdir, settings=settings, strategy=strategy)
    except (TrainingDivergedError, ImageFolderError, WeightsError) as error:
        print(error, file=sys.stderr)
        return FAILED
    if not outcome.finished:
        print(f"Stopped and saved. The same command goes on from there ({workdir}).")
        return OK
    if not is_chief(strategy):
        return OK
    if outcome.steps or not (workdir / "model").is_dir():
        record = RunRecord(spec, config, document["commit"])
        export_generator(
            record, method.averaged_generator(), workdir / "model", step=_total_steps(method)
        )
    print(f"Done. Try: python cartoonize.py --model={workdir / 'model'} --input=... --output=...")
    return OK


def _total_steps(method: Method) -> int:
    return sum(phase.steps for phase in method.phases())


def _refuse_mixing(workdir: Path, document: dict[str, Any], config: Any, *, resume: bool) -> None:
    """A run folder is one run: other settings, or a fresh start, need another folder."""
    recorded = workdir / "config.json"
    if not recorded.exists():
        return
    if not resume:
        raise UsageError(f"{workdir} already holds a run; choose another --workdir, or resume it")
    try:
        before = json.loads(recorded.read_text("utf-8"))
        before["config"], before["method"]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise UsageError(f"{recorded} is damaged ({error!r}); choose another --workdir") from error
    # More steps are how a finished run is continued, and data may have moved.
    free = {"steps"}
    free |= {field.name for field in fields(config) if field.metadata.get("location")}
    changed = [
        f"--{name} was {before['config'].get(name)!r}, now {value!r}"
        for name, value in document["config"].items()
        if before["config"].get(name) != value and name not in free
    ]
    if before["method"] != document["method"]:
        changed.insert(0, f"--method was {before['method']!r}, now {document['method']!r}")
    if changed:
        raise UsageError(
            f"{workdir} holds a run with other settings ({'; '.join(changed)}). To train on from "
            "its result, choose a new --workdir and --initial_model."
        )


def _strategy(name: str) -> Any:
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        # Take memory as it is needed: the machine may be shared.
        tf.config.experimental.set_memory_growth(gpu, True)
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multi_worker":
        if "TF_CONFIG" not in os.environ:
            raise UsageError("--distribute=multi_worker needs TF_CONFIG to name the workers")
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


def run() -> None:
    """Console entry point."""
    # The method decides which further flags there are.
    first = define_flags()
    try:
        first(sys.argv, known_only=True)
        quieten(first.verbose)
        values = define_flags(first.method)
    except (flags.Error, ValueError) as error:
        print(f"{os.path.basename(sys.argv[0])}: {error}\nTry --help.", file=sys.stderr)
        sys.exit(2)
    sys.exit(run_command(main, values, usage=USAGE))


if __name__ == "__main__":
    run()
