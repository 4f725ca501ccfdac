"""What an exported model costs a server: loading, the first request and later ones, memory, size.

    python -m benchmarks.serving [--rounds 5]

The network has random weights, on which no time depends. Each way of starting is a process of its
own; in it the model is loaded as the server loads it, into a plain session. The command line's way
through the same network takes its turns with the graph's, in one process, and the least of each are
compared: another load on the machine can only add to a time.

Exits with 1 if a ratio misses its bound; the bounds are those we hold ourselves to.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from PIL import Image

from benchmarks._machine import peak_memory
from benchmarks._records import Records, add_json_flag
from benchmarks._turns import side_by_side

#: At the working resolution, and a photo that has to be reduced to it.
SIZES = {"720x960": (720, 960), "3000x4000": (3000, 4000)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--process", choices=["cold", "warmed", "imported"], help=argparse.SUPPRESS)
    parser.add_argument("--version", type=Path, help=argparse.SUPPRESS)
    add_json_flag(parser)
    options = parser.parse_args()
    if options.process:
        print(json.dumps(one_process(options.process, options.version, options.rounds)))
        return 0
    records = Records(options.json)
    with tempfile.TemporaryDirectory() as folder:
        version = export(Path(folder))
        report_starts(version, options.rounds, records)
        report_ways(version, options.rounds, records)
        report_loading(version, Path(folder), options.rounds, records)
    return records.status


def export(folder: Path) -> Path:
    from wbc_tf import export as command
    from wbc_tf.cli.command_line import run_command
    from wbc_tf.methods.white_box.exported import EXPORTED
    from wbc_tf.serving.saved_model import save_generator

    save_generator(EXPORTED, EXPORTED.build(), folder / "m", metadata={"licence": "none"})
    argv = ["export", f"--model={folder / 'm'}", f"--output={folder / 'out'}"]
    if run_command(command.main, command.define_flags(), usage="", argv=argv):
        raise SystemExit("the export failed")
    version = folder / "out" / "m" / "1"
    for part in ("saved_model.pb", "variables", "assets.extra"):
        print(f"size of {part:14} {megabytes(version / part):6.2f} MB")
    return version


def megabytes(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def photo(size: tuple[int, int]) -> bytes:
    from wbc_tf.serving.sample_photo import sample_photo

    content = io.BytesIO()
    Image.fromarray(sample_photo(*size)).save(content, "JPEG", quality=90)
    return content.getvalue()


def one_process(kind: str, version: Path, rounds: int) -> dict[str, float]:
    """Times of a fresh process in seconds, and its peak memory in MB."""
    import tensorflow as tf

    image = photo(SIZES["720x960"])
    tf.zeros([1]) + 1
    times = {}
    if kind != "imported":
        start = time.perf_counter()
        session = tf.compat.v1.Session(graph=tf.Graph())
        with session.graph.as_default():
            loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(version))
        times["load"] = time.perf_counter() - start
        if kind == "warmed":
            start = time.perf_counter()
            warm_up(session, loaded, version)
            times["warm-up"] = time.perf_counter() - start
        signature = loaded.signature_def["serving_default"]
        feed = {**settings_of(signature), signature.inputs["image_bytes"].name: [image]}
        taken = []
        for _ in range(1 + rounds):
            start = time.perf_counter()
            session.run(signature.outputs["cartoon_bytes"].name, feed)
            taken.append(time.perf_counter() - start)
        times["first"], times["later"] = taken[0], min(taken[1:])
    return {**times, "memory": peak_memory()}


def settings_of(signature: Any) -> dict[str, Any]:
    """The inputs that a request may leave out; the server fills them in, a session does not."""
    import tensorflow as tf

    return {
        signature.inputs[name].name: tf.make_ndarray(value)
        for name, value in signature.defaults.items()
    }


def warm_up(session: object, loaded: object, version: Path) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    from wbc_tf.serving.warmup import WARMUP

    for path in tf.compat.v1.io.tf_record_iterator(str(version / WARMUP)):
        request = prediction_log_pb2.PredictionLog.FromString(path).predict_log.request
        signature = loaded.signature_def[request.model_spec.signature_name]
        given = {
            signature.inputs[name].name: tf.make_ndarray(tensor)
            for name, tensor in request.inputs.items()
        }
        feed = {**settings_of(signature), **given}
        session.run([tensor.name for tensor in signature.outputs.values()], feed)


def report_starts(version: Path, rounds: int, records: Records) -> None:
    found = {}
    for kind in ("imported", "cold", "warmed"):
        command = [sys.executable, "-m", "benchmarks.serving", "--process", kind]
        command += ["--version", str(version), "--rounds", str(rounds)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[kind] = json.loads(done.stdout.splitlines()[-1])
    cold, warmed = found["cold"], found["warmed"]
    print(f"loading into a plain session {cold['load']:.2f} s, warm-up {warmed['warm-up']:.2f} s")
    print(f"first request cold  {cold['first']:.2f} s: {ratio(cold):.2f} times a later one")
    print(f"first request warmed {warmed['first']:.2f} s: {ratio(warmed):.2f} times a later one")
    print(f"later request        {min(cold['later'], warmed['later']):.2f} s")
    base = found["imported"]["memory"]
    print(
        f"peak memory serving 720x960 {cold['memory']:.0f} MB (with warm-up "
        f"{warmed['memory']:.0f} MB), of which TensorFlow in Python alone {base:.0f} MB"
    )
    records.add("warmed first request, to a later one", ratio(warmed), "ratio", at_most=1.5)
    records.add("memory serving 720 x 960", cold["memory"], "MB")


def ratio(times: dict[str, float]) -> float:
    return times["first"] / times["later"]


def report_ways(version: Path, rounds: int, records: Records) -> None:
    """Bytes to bytes: the graph against `Cartoonizer` with Pillow around it."""
    import tensorflow as tf

    from wbc_tf.artefact.model_directory import load_signatures
    from wbc_tf.files.pictures import decode_photo, encode_image
    from wbc_tf.inference.cartoonizer import Cartoonizer

    serve = load_signatures(version)["serving_default"]
    cartoonizer = Cartoonizer.load(version)
    for name, size in SIZES.items():
        image = photo(size)

        def by_graph(image: bytes = image) -> None:
            serve(image_bytes=tf.constant([image]))

        def by_command_line(image: bytes = image) -> None:
            cartoon = cartoonizer(decode_photo(image, name="photo").rgb)
            encode_image(cartoon, file_format="PNG")

        graph, line = side_by_side(rounds, by_graph, by_command_line)
        print(f"{name:9} graph {graph:.2f} s, command line {line:.2f} s: ratio {graph / line:.2f}")
        records.add(
            f"server's graph at {name}, to the command line", graph / line, "ratio", at_most=1.6
        )


def report_loading(version: Path, folder: Path, rounds: int, records: Records) -> None:
    """What the server's signatures add for the command line, which does not use them."""
    import tensorflow as tf

    from wbc_tf.artefact.exported import load_generator
    from wbc_tf.artefact.model_directory import save_model
    from wbc_tf.methods.white_box.exported import EXPORTED

    generator = load_generator(EXPORTED, version)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], name="photo")])
    def coefficients(photo: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(zip(("scale", "offset"), EXPORTED.coefficients(generator, photo)))

    bare = save_model(
        folder / "bare",
        model=generator,
        signatures={"coefficients": coefficients},
        metadata={"method": "white_box", "licence": "none"},
    )
    whole, alone = side_by_side(
        rounds, lambda: tf.saved_model.load(str(version)), lambda: tf.saved_model.load(str(bare))
    )
    print(f"tf.saved_model.load {whole:.2f} s, without the server's signatures {alone:.2f} s")
    records.add("loading, to loading without the server's signatures", whole / alone, "ratio")


if __name__ == "__main__":
    sys.exit(main())
