"""The same network in every runtime at hand, against the machine's rate for matrix products.

    python -m benchmarks.runtimes [--method white_box ...] [--rounds 5] [--threads N]

TensorFlow's SavedModel as the commands run it, ONNX Runtime and OpenVINO on the exported ONNX file,
and TensorFlow Lite with XNNPACK on the exported files in float32 and int8. All are timed in turns
in one run and the least of each is compared. A share of the machine's rate tells how near a runtime
is to what the machine can multiply; above 1 it has a way with fewer multiplications.

For white_box the weights are those of the embedded model: how far int8 is from float32 in grey
levels is told beside its speed, and the guided filter is timed alone as well. The other methods are
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
from wbc_tf.artefact.exported import Exported, load_generator
from wbc_tf.artefact.model_directory import find_model
from wbc_tf.images import to_float, to_uint8
from wbc_tf.inference.engines import load_engine
from wbc_tf.layers.guided_filter import adjusted
from wbc_tf.layers.output_filter import EPS, RADIUS
from wbc_tf.methods.registry import METHODS
from wbc_tf.serving.sample_photo import sample_photo
from wbc_tf.serving.saved_model import save_generator

#: Height and width; the larger networks take as long for a quarter of it.
SIZES = {"white_box": (720, 960)}
OTHER_SIZE = (360, 480)
#: The method that bounds are for, and its embedded model.
MAIN = "white_box"
OURS = "TensorFlow"
INT8 = "TensorFlow Lite, int8"
LITE = {"TensorFlow Lite": "float32", INT8: "int8"}
FILTER = "guided filter alone"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", action="append", choices=sorted(METHODS), help="again for more")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    add_json_flag(parser)
    options = parser.parse_args()
    records = Records(options.json)
    for name in options.method or sorted(METHODS, key=lambda name: name != MAIN):
        with tempfile.TemporaryDirectory() as folder:
            measure(name, Path(folder), options.rounds, options.threads, records)
    return records.status


def measure(name: str, folder: Path, rounds: int, threads: int, records: Records) -> None:
    """Times one method's network in every runtime, and reports."""
    size = SIZES.get(name, OTHER_SIZE)
    exported = METHODS[name].exported()
    saved = find_model(MAIN) if name == MAIN else untrained(exported, folder / "model")
    coefficients = partial(exported.coefficients, load_generator(exported, saved))
    flops = 2 * multiply_accumulates(coefficients, (1, *size, 3))
    photo = to_float(sample_photo(*size)[None])
    tasks = runtimes(name, saved, folder, photo, threads, records)
    alone = {FILTER: guided_filter(photo)} if name == MAIN else {}
    times = in_turns(rounds, {**tasks, **alone, "matrix": matrix_product()})
    rate = matrix_flops() / times.pop("matrix")

    megapixels = size[0] * size[1] / 1e6
    print(
        f"{name}, {size[1]}x{size[0]}: {flops / 1e9 / megapixels:.0f} GFLOP a megapixel; "
        f"matrix products at {rate / 1e9:.0f} GFLOP/s"
    )
    records.add(f"{name}, multiply-accumulates", flops / 2e9 / megapixels, "G a megapixel")
    for runtime in tasks:
        seconds = times[runtime]
        share = flops / seconds / rate
        print(f"  {runtime:24} {seconds * 1e3:7.0f} ms  {share:5.2f} of the machine's rate")
        records.add(f"{name}, {runtime}, {size[1]} x {size[0]}", seconds * 1e3, "ms")
    main_method = name == MAIN
    records.add(
        f"{name}, share of the machine's rate of {rate / 1e9:.0f} GFLOP/s",
        flops / times[OURS] / rate,
        "ratio",
        at_least=0.8 if main_method else None,
    )
    others = [times[runtime] for runtime in ("ONNX Runtime", "OpenVINO") if runtime in times]
    records.add(
        f"{name}, best other runtime in float32, to ours",
        min(others) / times[OURS],
        "ratio",
        # Two timings of one program differ by some percent.
        at_least=0.97 if main_method else None,
    )
    if main_method:
        share = times[FILTER] / times[OURS]
        records.add(f"{name}, guided filter, to the network", share, "ratio", at_most=0.04)
        scale, offset = (tasks[OURS]()[part] for part in ("scale", "offset"))
        levels = np.abs(to_uint8(scale * photo + offset).astype(int) - to_uint8(tasks[INT8]()))
        print(
            f"  filter {share:.3f} of the network; int8 differs by {levels.mean():.2f} on average"
        )
        records.add(f"{name}, {INT8}, largest difference", levels.max(), "grey levels")
        records.add(f"{name}, {INT8}, mean difference", levels.mean(), "grey levels")


def untrained(exported: Exported, directory: Path) -> Path:
    """A model with random weights."""
    save_generator(exported, exported.build(), directory, metadata={"licence": "none: untrained"})
    return directory


def runtimes(
    method: str, saved: Path, folder: Path, photo: np.ndarray, threads: int, records: Records
) -> dict[str, Callable[[], Any]]:
    """A call of the network on the photo for each runtime that is installed."""
    onnx = export(saved, folder, "onnx", photo.shape[1:3]) / "float32.onnx"
    lite = export(saved, folder, "tflite", photo.shape[1:3])
    tasks: dict[str, Callable[[], Any]] = {}
    for name, model in ((OURS, saved), ("ONNX Runtime", onnx)):
        engine, stated = load_engine(model, precision="float32")
        tasks[name] = partial(engine, photo=photo, strength=1.0, delta=stated["delta"])
    try:
        tasks["OpenVINO"] = openvino(onnx, photo, threads)
    except ImportError:
        records.skip(f"{method}, OpenVINO", "not installed: pip install 'wbc_tf[bench]'")
    for name, variant in LITE.items():
        tasks[name] = tensorflow_lite(lite / f"{variant}.tflite", photo, threads)
    return tasks


def export(saved: Path, folder: Path, kind: str, size: tuple[int, int] | None = None) -> Path:
    """Runs the export command, for one size or for all; returns the folder of its files."""
    command = [sys.executable, "-m", "wbc_tf.export", f"--model={saved}", f"--output={folder}"]
    command += [f"--format={kind}", "--name=network"]
    if size:
        command.append(f"--size={size[0]}x{size[1]}")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return folder / f"network-{kind}" / "1"


def guided_filter(photo: np.ndarray) -> Callable[[], Any]:
    """What follows the network in the same graph, alone."""
    import tensorflow as tf

    filtered = tf.function(partial(adjusted, radius=RADIUS, eps=EPS, strength=1.0, delta=1.0))
    guide, target = tf.constant(photo), tf.constant(photo[:, ::-1])
    return lambda: filtered(guide, target)[1].numpy()


def openvino(model: Path, photo: np.ndarray, threads: int) -> Callable[[], Any]:
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return partial(request.infer, {"photo": photo})


def tensorflow_lite(model: Path, photo: np.ndarray, threads: int) -> Callable[[], np.ndarray]:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_path=str(model), num_threads=threads)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], photo)

    def run() -> np.ndarray:
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))

    return run


if __name__ == "__main__":
    sys.exit(main())
