"""Which model draws, and on what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from absl import flags

from wbc_tf.cli.command_line import UsageError, on_topic

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer

_TOPIC = "Model and machine"


def define_model_flags(values: flags.FlagValues) -> None:
    """Flags for `load_cartoonizer`."""
    topic = on_topic(_TOPIC, values)
    flags.DEFINE_string(
        "model",
        "white_box",
        "Model directory, .onnx file, or the name of a model in pretrained_models/.",
        **topic,
    )
    flags.DEFINE_enum(
        "device",
        "auto",
        ["auto", "cpu", "gpu"],
        "Where the network runs. auto takes a GPU if there is one.",
        **topic,
    )
    flags.DEFINE_enum(
        "precision",
        "float32",
        ["float32", "bfloat16", "float16", "auto"],
        "Numbers that the network computes with. bfloat16 is for CPUs with instructions for it, "
        "float16 for GPUs; auto takes the fastest here. With half precision some pixels differ by "
        "one or two grey levels.",
        **topic,
    )
    flags.DEFINE_integer(
        "memory_budget",
        1024,
        "Megabytes that the network's work may take. Larger pictures are drawn in tiles, with the "
        "same result. The program and the pictures come on top: 0.6 GB for most photos.",
        lower_bound=1,
        **topic,
    )


def load_cartoonizer(values: flags.FlagValues) -> Cartoonizer:
    """Loads the model; takes seconds, because it imports TensorFlow.

    Raises:
      UsageError: no such model, device or precision, or too small a memory budget.
    """
    from wbc_tf.artefact.model_directory import ModelNotFoundError
    from wbc_tf.inference.cartoonizer import Cartoonizer, MemoryBudgetError
    from wbc_tf.inference.engines import DeviceError, PrecisionError, is_onnx

    try:
        if not is_onnx(values.model):  # which runs without TensorFlow
            from wbc_tf.inference.device import use_device

            use_device(values.device)
        return Cartoonizer.load(
            values.model, precision=values.precision, memory_budget=values.memory_budget
        )
    except (DeviceError, MemoryBudgetError, ModelNotFoundError, PrecisionError) as error:
        raise UsageError(str(error)) from error
