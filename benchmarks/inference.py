"""What a folder costs end to end, as a share of what the network alone would take.

    python -m benchmarks.inference [--only speed start memory] [--model DIRECTORY]
        [--photos FOLDER] [--count 12] [--rounds 3]

*Speed.* Both are timed in turns in one run: ``cartoonize_photos`` from files to files, with
reading, drawing and writing overlapped, and the network alone on the same pictures, batched the
same way, already in memory. The best round of each counts: another load on the machine can only add
to a time. The same share in processor seconds, which another load hardly touches, tells what
reading and writing cost where the network leaves no core idle.

*Start.* The command from its start to its first written file, as the shell sees it, with a
SavedModel and with the same model as ONNX file, in turns with a process that only imports
TensorFlow or ONNX Runtime. The photo is of 360 x 240, so that little of the time is the network's.

*Memory.* The largest resident size of processes that make one, 8 and 32 photos of 12 megapixels,
and one, 100 and 1,000 small ones. Some photos take more than one, since the next is read and the
last one written while one is drawn; many must take no more than some.

Without --photos, pictures of 1080 x 720 are generated and stored as JPEG: the authors' working
resolution, where the network has the least to do for each pixel that is read and written. Without
--model, an untrained network of the authors' size is used, which costs what a trained one does.

Exits with 1 if a figure misses its bound; the bounds are those we hold ourselves to.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks._records import Records, add_json_flag
from benchmarks._turns import in_turns
from benchmarks.runtimes import export
from wbc_tf.files.find import find_images
from wbc_tf.files.pictures import write_image
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.jobs import plan_jobs
from wbc_tf.inference.photos import cartoonize_photos
from wbc_tf.inference.settings import DrawSettings

SHARE = 0.95
#: What is imported -> the engine, and how much longer the command may take than the import.
STARTS = {"tensorflow": ("SavedModel", 1.4), "onnxruntime": ("ONNX", 6.0)}
#: Height and width -> how many photos of that size are made in one call, besides one.
MEMORY = {(3000, 4000): (8, 32), (96, 128): (100, 1000)}
MORE_MEMORY = 1.1
ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=["speed", "start", "memory"])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    add_json_flag(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        photos = options.photos or drawings(work / "photos", options.count)
        model = options.model or untrained(work / "model")
        records = Records(options.json)
        if "start" in options.only:
            report_start(model, work, options.rounds, records)
        if "memory" in options.only:
            report_memory(work, records)
        if "speed" in options.only:
            compare(Cartoonizer.load(model), photos, work, rounds=options.rounds, records=records)
    return records.status


def compare(
    cartoonizer: Cartoonizer, photos: Path, work: Path, *, rounds: int, records: Records
) -> None:
    inputs = [str(path) for path in find_images(photos)]
    settings = DrawSettings(short_side=720)  # a stand-in for the model has none of its own
    calls: list[np.ndarray] = []

    def spy(images: np.ndarray, **_: object) -> np.ndarray:
        calls.append(images)
        return images

    # What the network is given, in the very batches; the first call of each size is warm-up.
    cartoonize_photos(spy, plan_jobs(inputs, work / "spied"), settings)
    megapixels = sum(images.size for images in calls) / 3e6
    for images in {images.shape: images for images in calls}.values():
        cartoonizer(images, **settings.arguments())

    alone, whole = [], []
    for number in range(rounds):
        start = seconds()
        for images in calls:
            cartoonizer(images, **settings.arguments())
        alone.append(seconds() - start)
        jobs = plan_jobs(inputs, work / f"round{number}")
        start = seconds()
        tally = cartoonize_photos(cartoonizer, jobs, settings)
        whole.append(seconds() - start)
        if tally.written != len(inputs):
            raise SystemExit(f"a benchmark of failures is none: {tally}")
    (wall_alone, cpu_alone), (wall, cpu) = np.min(alone, axis=0), np.min(whole, axis=0)
    network, end_to_end = megapixels / wall_alone, megapixels / wall
    share = end_to_end / network
    print(f"{len(inputs)} pictures, {megapixels:.1f} megapixels, best of {rounds} rounds each")
    print(f"  network alone {network:6.2f} megapixels/s")
    print(f"  end to end    {end_to_end:6.2f} megapixels/s: share {share:.3f} (at least {SHARE})")
    print(f"  the same in processor seconds: share {cpu_alone / cpu:.3f}")
    records.add("files to files, to the network alone", share, "ratio", at_least=SHARE)
    records.add("the same in processor seconds", cpu_alone / cpu, "ratio")
    records.add("files to files", end_to_end, "megapixels/s")


def seconds() -> np.ndarray:
    """Of the clock on the wall, and of all processor cores that this process took."""
    return np.array([time.perf_counter(), time.process_time()])


def report_start(model: Path, work: Path, rounds: int, records: Records) -> None:
    photos = drawings(work / "start", 1, size=(240, 360))
    onnx = export(model, work, "onnx", (240, 360)) / "float32.onnx"
    engines = {"tensorflow": model, "onnxruntime": onnx}
    tasks: dict[str, Callable[[], None]] = {}
    for module, file in engines.items():
        tasks[module] = partial(start_python, "-c", f"import {module}")
        tasks[f"with {module}"] = partial(first_file, file, photos, work / "first")
    times = in_turns(rounds, tasks)
    for module, (engine, bound) in STARTS.items():
        first, bare = times[f"with {module}"], times[module]
        print(f"command to first file, {engine}: {first:.2f} s; import {module} {bare:.2f} s")
        name = f"command to first file, {engine}"
        records.add(f"{name}, to importing {module}", first / bare, "ratio", at_most=bound)
        records.add(name, first, "s")


def start_python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True)


def first_file(model: Path, photos: Path, output: Path) -> None:
    """From the start of ``python cartoonize.py`` to its first whole file."""
    shutil.rmtree(output, ignore_errors=True)
    process = subprocess.Popen(
        [
            sys.executable,
            ROOT / "cartoonize.py",
            f"--model={model}",
            f"--output={output}",
            f"--input={photos}",
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        while not list(find_images(output) if output.is_dir() else ()):
            if process.poll():
                raise SystemExit(f"cartoonize.py ended with {process.returncode}")
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait()


def report_memory(work: Path, records: Records) -> None:
    """Of whole commands with the default model and settings."""
    for size, (some, many) in MEMORY.items():
        photos = drawings(work / f"photos{many}", 1, size=size)
        peaks = {}
        for count in (1, some, many):
            for number in range(len(list(photos.iterdir())), count):
                os.link(photos / "000.jpg", photos / f"{number:03}.jpg")
            peaks[count] = peak_of_command(photos, work / f"drawn{count}of{many}")
        name = f"photos of {size[1]} x {size[0]}"
        found = ", ".join(f"{count} take {peak:.0f} MB" for count, peak in peaks.items())
        print(f"{name}: {found} at most")
        ratio = peaks[many] / peaks[some]
        records.add(f"most memory, 1 of the {name}", peaks[1], "MB")
        records.add(f"most memory, {some} {name}", peaks[some], "MB")
        records.add(f"most memory, {many} {name}, to {some}", ratio, "ratio", at_most=MORE_MEMORY)


def peak_of_command(photos: Path, output: Path) -> float:
    """Megabytes at most of the command on a folder."""
    code = (
        "import atexit\nfrom benchmarks._machine import peak_memory\n"
        "atexit.register(lambda: print(peak_memory()))\nfrom wbc_tf.cartoonize import run\nrun()"
    )
    command = [sys.executable, "-c", code, f"--input={photos}", f"--output={output}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return float(done.stdout.split()[-1])


def drawings(folder: Path, count: int, *, size: tuple[int, int] = (720, 1080)) -> Path:
    """Photos of what makes a JPEG cost what a photo's does: blotches and noise."""
    import cv2

    folder.mkdir()
    for number in range(count):
        generator = np.random.default_rng(number)
        coarse = generator.integers(0, 256, (12, 18, 3), dtype=np.uint8)
        smooth = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC).astype(int)
        noisy = smooth + generator.normal(0, 6, smooth.shape)
        write_image(folder / f"{number:03}.jpg", np.clip(noisy, 0, 255).astype(np.uint8))
    return folder


def untrained(directory: Path) -> Path:
    from wbc_tf.methods.white_box.exported import EXPORTED
    from wbc_tf.serving.saved_model import save_generator

    metadata = {"licence": "none", "origin": "untrained"}
    save_generator(EXPORTED, EXPORTED.build(), directory, metadata=metadata)
    return directory


if __name__ == "__main__":
    sys.exit(main())
