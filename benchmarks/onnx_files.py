"""The ONNX files of each method beside its SavedModel: differences, sizes, first and later calls.

    python -m benchmarks.onnx_files [--model DIRECTORY ...] [--rounds 5]

Pictures are made by both and compared as they are written, in uint8: three photos, two pictures
with odd sides, and a single pixel. A network that divides by the deviation of its picture has
rounding alone to divide by where the picture is one pixel, so that one has no bound. The first call
is that of a fresh process and holds imports and loading. Later calls are timed in turns in one
process, and the least of each counts. Without ``--model`` it is the embedded model and untrained
networks of the other methods.

Exits with 1 if a figure misses its bound; the bounds are those we hold ourselves to.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from skimage import data

from benchmarks._records import Records, add_json_flag
from benchmarks._turns import in_turns
from benchmarks.runtimes import export, untrained
from wbc_tf.artefact.model_directory import find_model, read_metadata
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.methods.registry import METHODS
from wbc_tf.serving.onnx import VARIANTS
from wbc_tf.serving.sample_photo import sample_photo

#: Height and width of the picture that is timed.
TIMED = (384, 512)
FIRST_CALL = f"""
import sys
import numpy as np
from wbc_tf import Cartoonizer
Cartoonizer.load(sys.argv[1], precision=sys.argv[2])(np.zeros([*{TIMED}, 3], np.uint8))
"""
SAVED = "SavedModel"
ONE_PIXEL = "one pixel"
#: By the column that tells the largest difference from the SavedModel, in grey levels.
PICTURES = {
    "photos": (data.astronaut, data.chelsea, data.coffee),
    "odd sides": (partial(sample_photo, 97, 131), partial(sample_photo, 5, 7)),
    ONE_PIXEL: (partial(sample_photo, 1, 1),),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, action="append", help="again for more")
    parser.add_argument("--rounds", type=int, default=5)
    add_json_flag(parser)
    options = parser.parse_args()
    records = Records(options.json)
    print(
        "| method | file | MB | photos | odd sides | one pixel | first call, s | later, s |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    with tempfile.TemporaryDirectory() as folder:
        for model in options.model or default_models(Path(folder)):
            with tempfile.TemporaryDirectory() as work:
                compare(find_model(model), Path(work), options.rounds, records)
    return records.status


def default_models(folder: Path) -> list[Path]:
    others = [name for name in METHODS if name != "white_box"]
    return [Path("white_box")] + [untrained(METHODS[n].exported(), folder / n) for n in others]


def compare(saved: Path, work: Path, rounds: int, records: Records) -> None:
    """One line of the table for each file of a model."""
    method = read_metadata(saved)["method"]
    folder = export(saved, work, "onnx")
    files = {SAVED: saved, **{variant: folder / f"{variant}.onnx" for variant in VARIANTS}}
    precisions = {SAVED: "float32", **{variant: variant for variant in VARIANTS}}
    draw = {
        name: Cartoonizer.load(file, precision=precisions[name]) for name, file in files.items()
    }
    timed = sample_photo(*TIMED)
    later = in_turns(rounds, {name: partial(each, timed) for name, each in draw.items()})
    for name, file in files.items():
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", FIRST_CALL, file, precisions[name]], check=True)
        first = time.perf_counter() - start
        cells = [method, name, f"{megabytes(file):.1f}"]
        for column, pictures in PICTURES.items():
            if name == SAVED:
                cells.append("")
                continue
            most = max(apart(draw[name], draw[SAVED], picture()) for picture in pictures)
            cells.append(str(most))
            records.add(
                f"{method}, {name}.onnx, {column}",
                most,
                "grey levels",
                at_most=None if column == ONE_PIXEL else VARIANTS[name].largest,
            )
        cells += [f"{first:.2f}", f"{later[name]:.2f}"]
        records.add(f"{method}, {name}, first call", first, "s")
        records.add(f"{method}, {name}, later call", later[name], "s")
        print(f"| {' | '.join(cells)} |", flush=True)


def apart(one: Cartoonizer, other: Cartoonizer, photo: np.ndarray) -> int:
    """Grey levels at most. Matching the brightness would round once more."""
    cartoons = (draw(photo, match_brightness=False).astype(int) for draw in (one, other))
    return int(np.abs(np.subtract(*cartoons)).max())


def megabytes(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


if __name__ == "__main__":
    sys.exit(main())
