"""Half precision for a model as it was exported: the graph is rewritten when it is first run.

TensorFlow's own rewriter casts the convolutions and what lies between them. The guided filter after
the last convolution stays in float32, as it must: its variances cancel in half precision.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import rewriter_config_pb2

# No public way sets rewriter options for one function and one thread: those of tf.config reach
# whatever else the process runs.
from tensorflow.python.eager import context

from wbc_tf.inference.engines import PrecisionError

#: What may be asked for; "auto" is the fastest that the hardware has instructions for.
PRECISIONS = ("float32", "bfloat16", "float16", "auto")

#: Instructions that make bfloat16 faster than float32; without them it is emulated, and slower.
_BFLOAT16_INSTRUCTIONS = frozenset({"avx512_bf16", "amx_bf16"})
_CPU_INFO = Path("/proc/cpuinfo")
# Tensor cores, which came with Volta.
_FLOAT16_CAPABILITY = (7, 0)


def resolve_precision(precision: str) -> str:
    """The precision to compute in: the one asked for, if this machine has it; never "auto".

    Raises:
      ValueError: no such precision.
      PrecisionError: this machine does not have it. Another one is never taken in its place,
        because nobody would notice.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision is one of {', '.join(PRECISIONS)}, not {precision!r}")
    missing = _missing_on_gpu() if tf.config.list_logical_devices("GPU") else _missing_on_cpu()
    available = [name for name in ("float16", "bfloat16") if name not in missing]
    if precision == "auto":
        return available[0] if available else "float32"
    if precision in missing:
        raise PrecisionError(
            f"precision {precision} is not available here: {missing[precision]}. "
            f"There is {', '.join(['float32', *available])}."
        )
    return precision


def _missing_on_gpu() -> dict[str, str]:
    missing = {"bfloat16": "it is for CPUs, and this machine computes on a GPU"}
    for device in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(device)
        if details.get("compute_capability", (0, 0)) < _FLOAT16_CAPABILITY:
            missing["float16"] = f"{details.get('device_name', device.name)} has no tensor cores"
    return missing


def _missing_on_cpu() -> dict[str, str]:
    # TensorFlow 2.15's float16 rewriter for CPUs crashes on this network.
    missing = {"float16": "it needs a GPU"}
    if not _BFLOAT16_INSTRUCTIONS & _cpu_flags():
        wanted = " or ".join(sorted(_BFLOAT16_INSTRUCTIONS))
        missing["bfloat16"] = f"the CPU lacks the instructions for it ({wanted})"
    elif os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0":
        missing["bfloat16"] = "TF_ENABLE_ONEDNN_OPTS=0 turns off the library that computes in it"
    return missing


def _cpu_flags() -> frozenset[str]:
    """What Linux says of the first CPU; elsewhere nothing is known, and nothing promised."""
    if not _CPU_INFO.is_file():
        return frozenset()
    for line in _CPU_INFO.read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()


def in_precision(function: Callable[..., Any], precision: str) -> Callable[..., Any]:
    """The same function, run by a graph in another precision; results stay float32.

    Args:
      function: a signature of a loaded SavedModel.
      precision: as `resolve_precision` returned it.
    """
    if precision == "float32":
        return function
    on = rewriter_config_pb2.RewriterConfig.ON

    def run(**inputs: tf.Tensor) -> Any:
        ours = context.context()
        before = ours.function_call_options  # of this thread
        config = tf.compat.v1.ConfigProto()
        config.CopyFrom(ours.config)
        options = config.graph_options.rewrite_options
        if precision == "bfloat16":
            options.auto_mixed_precision_onednn_bfloat16 = on
        else:
            options.auto_mixed_precision = on
        ours.function_call_options = context.FunctionCallOptions(config_proto=config)
        try:
            return function(**inputs)
        finally:
            ours.function_call_options = before

    return run
