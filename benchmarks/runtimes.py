"""The same network in every runtime at hand, against the machine's rate for matrix products.

    python -m benchmarks.runtimes [--method white_box ...] [--rounds 5] [--threads N]

TensorFlow's SavedModel as the commands run it, ONNX Runtime and OpenVINO on the exported ONNX file,
and TensorFlow Lite with XNNPACK on the exported files in float32 and int8. All are timed in turns
in one run and the least of each is compared. A share of the machine's rate tells how near a runtime
is to what the machine can multiply; above 1 it has a way with fewer multiplications. Weights are
untrained, which costs the same.

Exits with 1 if a figure misses its bound; the bounds are those we hold ourselves to.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks._counts import matrix_flops, matrix_product, multiply_accumulates
from benchmarks._records import Records, add_json_flag
from benchmarks._turns import in_turns
from wbc_tf.artefact.exported import Exported
from wbc_tf.images import to_float
from wbc_tf.inference.engines import load_engine
from wbc_tf.methods.registry import METHODS
from wbc_tf.serving.sample_photo import sample_photo
from wbc_tf.serving.saved_model import save_generator

#: Height and width; the larger networks take as long for a quarter of it.
SIZES = {"white_box": (720, 960)}
OTHER_SIZE = (360, 480)
OURS = "TensorFlow"
LITE = {"TensorFlow Lite": "float32", "TensorFlow Lite, int8": "int8"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", action="append", choices=sorted(METHODS), help="again for more")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    add_json_flag(parser)
    options = parser.parse_args()
    records = Records(options.json)
    for name in options.method or sorted(METHODS, key=lambda name: name != "white_box"):
        with tempfile.TemporaryDirectory() as folder:
            measure(name, Path(folder), options.rounds, options.threads, records)
    return records.status


def measure(name: str, folder: Path, rounds: int, threads: int, records: Records) -> None:
    """Times one method's network in every runtime, and reports."""
    size = SIZES.get(name, OTHER_SIZE)
    exported = METHODS[name].exported()
    generator = exported.build()
    coefficients = partial(exported.coefficients, generator)
    flops = 2 * multiply_accumulates(coefficients, (1, *size, 3))
    photo = to_float(sample_photo(*size)[None])
    tasks = runtimes(exported, generator, folder, photo, threads, records)
    times = in_turns(rounds, {**tasks, "matrix": matrix_product()})
    rate = matrix_flops() / times.pop("matrix")

    megapixels = size[0] * size[1] / 1e6
    print(
        f"{name}, {size[1]}x{size[0]}: {flops / 1e9 / megapixels:.0f} GFLOP a megapixel; "
        f"matrix products at {rate / 1e9:.0f} GFLOP/s"
    )
    for runtime, seconds in times.items():
        share = flops / seconds / rate
        print(f"  {runtime:24} {seconds * 1e3:7.0f} ms  {share:5.2f} of the machine's rate")
        records.add(f"{name}, {runtime}, {size[1]} x {size[0]}", seconds * 1e3, "ms")
    main_method = name == "white_box"
    records.add(
        f"{name}, share of the machine's rate",
        flops / times[OURS] / rate,
        "ratio",
        at_least=0.8 if main_method else None,
    )
    others = [times[runtime] for runtime in ("ONNX Runtime", "OpenVINO") if runtime in times]
    if others:
        records.add(
            f"{name}, best other runtime in float32, to ours",
            min(others) / times[OURS],
            "ratio",
            # Two timings of one program differ by some percent.
            at_least=0.97 if main_method else None,
        )


def runtimes(
    exported: Exported,
    generator: Any,
    folder: Path,
    photo: np.ndarray,
    threads: int,
    records: Records,
) -> dict[str, Callable[[], Any]]:
    """A call of the network on the photo for each runtime that is installed."""
    saved = folder / "model"
    save_generator(exported, generator, saved, metadata={"licence": "none: untrained"})
    onnx = export(saved, folder, "onnx", photo.shape[1:3]) / "float32.onnx"
    lite = export(saved, folder, "tflite", photo.shape[1:3])
    inputs = {"photo": photo, "strength": 1.0, "delta": exported.delta}
    tasks: dict[str, Callable[[], Any]] = {}
    for name, model in ((OURS, saved), ("ONNX Runtime", onnx)):
        engine, _ = load_engine(model, precision="float32")
        tasks[name] = partial(engine, **inputs)
    try:
        tasks["OpenVINO"] = openvino(onnx, photo, threads)
    except ImportError:
        records.skip(f"{exported.method}, OpenVINO", "not installed: pip install 'wbc_tf[bench]'")
    for name, variant in LITE.items():
        tasks[name] = tensorflow_lite(lite / f"{variant}.tflite", photo, threads)
    return tasks


def export(saved: Path, folder: Path, kind: str, size: tuple[int, int]) -> Path:
    """Runs the export command; returns the folder of its files."""
    command = [sys.executable, "-m", "wbc_tf.export", f"--model={saved}", f"--output={folder}"]
    command += [f"--format={kind}", f"--size={size[0]}x{size[1]}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return folder / f"{saved.name}-{kind}" / "1"


def openvino(model: Path, photo: np.ndarray, threads: int) -> Callable[[], Any]:
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return partial(request.infer, {"photo": photo})


def tensorflow_lite(model: Path, photo: np.ndarray, threads: int) -> Callable[[], Any]:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_path=str(model), num_threads=threads)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], photo)
    return interpreter.invoke


if __name__ == "__main__":
    sys.exit(main())
