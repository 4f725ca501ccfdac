"""What a folder costs end to end, as a share of what the network alone would take.

    python -m benchmarks.inference [--model DIRECTORY] [--photos FOLDER] [--count 12] [--rounds 3]

Both are timed in turns in one run: ``cartoonize_photos`` from files to files, with reading, drawing
and writing overlapped, and the network alone on the same pictures, batched the same way, already in
memory. The best round of each counts: another load on the machine can only add to a time. The same
share in processor seconds, which another load hardly touches, tells what reading and writing cost
where the network leaves no core idle. At last, the command itself from its start to its first
written file, as the shell sees it.

Without --photos, pictures of 1080 x 720 are generated and stored as JPEG: the authors' working
resolution, where the network has the least to do for each pixel that is read and written. Without
--model, an untrained network of the authors' size is used, which costs what a trained one does.

Exits with 1 if the share is below its bound, which is the one we hold ourselves to.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks._records import Records, add_json_flag
from wbc_tf.files.find import find_images
from wbc_tf.files.pictures import write_image
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.jobs import plan_jobs
from wbc_tf.inference.photos import cartoonize_photos
from wbc_tf.inference.settings import DrawSettings

SHARE = 0.9


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
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
        compare(
            Cartoonizer.load(model), model, photos, work, rounds=options.rounds, records=records
        )
    return records.status


def compare(
    cartoonizer: Cartoonizer,
    model: Path,
    photos: Path,
    work: Path,
    *,
    rounds: int,
    records: Records,
) -> None:
    inputs = [str(path) for path in find_images(photos)]
    settings = DrawSettings()
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
    first, tensorflow = first_file(model, inputs, work), import_tensorflow()
    print(
        f"  from command to first written file {first:.1f} s, {first / tensorflow:.2f} times what "
        "importing TensorFlow takes"
    )
    records.add("files to files, to the network alone", share, "ratio", at_least=SHARE)
    records.add("the same in processor seconds", cpu_alone / cpu, "ratio")
    records.add("files to files", end_to_end, "megapixels/s")
    records.add("command to first file, to importing TensorFlow", first / tensorflow, "ratio")
    records.add("command to first file", first, "s")


def seconds() -> np.ndarray:
    """Of the clock on the wall, and of all processor cores that this process took."""
    return np.array([time.perf_counter(), time.process_time()])


def first_file(model: Path, inputs: list[str], work: Path) -> float:
    """Seconds from the start of ``python cartoonize.py`` to its first whole file."""
    output = work / "first"
    script = Path(__file__).resolve().parent.parent / "cartoonize.py"
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, script, f"--model={model}", f"--output={output}"]
        + [f"--input={path}" for path in inputs],
        stdout=subprocess.DEVNULL,
    )
    try:
        while not list(find_images(output) if output.is_dir() else ()):
            if process.poll():
                raise SystemExit(f"cartoonize.py ended with {process.returncode}")
            time.sleep(0.005)
        return time.perf_counter() - start
    finally:
        process.kill()
        process.wait()


def import_tensorflow() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import tensorflow"], check=True)
    return time.perf_counter() - start


def drawings(folder: Path, count: int) -> Path:
    """Photos of 1080 x 720 in what makes a JPEG cost what a photo's does: blotches and noise."""
    import cv2

    folder.mkdir()
    for number in range(count):
        generator = np.random.default_rng(number)
        coarse = generator.integers(0, 256, (12, 18, 3), dtype=np.uint8)
        smooth = cv2.resize(coarse, (1080, 720), interpolation=cv2.INTER_CUBIC).astype(int)
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
