"""The flags that say where and how a training run goes, whatever its method."""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from wbc_tf.cli.command_line import on_topic


def define_run_flags(values: flags.FlagValues, *, methods: Sequence[str]) -> None:
    """--method, what `wbc_tf.methods.train_run.RunSettings` holds, and the device."""
    topic = on_topic("The run", values)
    flags.DEFINE_string("method", "white_box", f"What is trained: {', '.join(methods)}.", **topic)
    flags.DEFINE_string(
        "preset", "", "Recipe to start from; by default the method's own name.", **topic
    )
    flags.DEFINE_string("workdir", None, "Folder of the run.", **topic)
    flags.DEFINE_boolean(
        "resume",
        True,
        "Go on from the run folder's newest checkpoint. --noresume refuses a folder with a run.",
        **topic,
    )
    flags.DEFINE_boolean("dry_run", False, "Show the resolved config, write nothing.", **topic)
    for name, default, text in (
        ("checkpoint_every", 500, "Steps between checkpoints."),
        ("sample_every", 500, "Steps between sample grids."),
        ("log_every", 20, "Steps between points of TensorBoard's curves; losses.jsonl has all."),
    ):
        flags.DEFINE_integer(name, default, text, lower_bound=1, **topic)
    flags.DEFINE_enum(
        "device",
        "auto",
        ["auto", "cpu", "gpu"],
        "Where to train; auto takes a GPU if there is one.",
        **topic,
    )
    flags.DEFINE_enum(
        "distribute",
        "none",
        ["none", "mirrored", "multi_worker"],
        "One device, all devices of this machine, or the workers that TF_CONFIG names (their "
        "--workdir must be one folder that all can reach). --batch_size is always the whole batch, "
        "shared out among them.",
        **topic,
    )
    flags.DEFINE_boolean(
        "deterministic",
        False,
        "Give the same weights, bit by bit, each time on this machine, at some cost in speed.",
        **topic,
    )
