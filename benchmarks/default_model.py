"""How drawn a model's pictures are, beside plain photos and the authors' weights.

    python -m benchmarks.default_model [--model DIRECTORY ...] [--sheet FILE]

Four figures on photos that no model was trained on: the share of nearly flat pixels, the strength
of edges, the content distance (`wbc_tf.evaluation`), and the probability of "drawn" by a linear
probe between comic panels and other photos (`benchmarks._linear_probe`). Lightness is the mean of
CIELAB's L, set against the photos'. None of the figures means anything alone: a blur is flat, and
noise has edges. Beside them stand how far from an edge between two flat halves a cartoon differs
from its own flat halves (a halo), and how much it changes from frame to frame of a static clip with
a camera's noise, to the noise itself. ``--sheet`` writes all photos and cartoons side by side, to
look at.

The authors' weights stand beside them if ``--authors`` names a directory converted by
``python -m wbc_tf.convert``. Exits with 1 if the first model misses a bound.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np

from benchmarks._linear_probe import LinearProbe, held_out_accuracy
from benchmarks._records import Records, add_json_flag
from wbc_tf.comparison.contact_sheet import contact_sheet
from wbc_tf.evaluation.content_distance import content_distance
from wbc_tf.evaluation.flatness import flatness_rows
from wbc_tf.evaluation.vgg_statistics import LAYERS, VggStatistics
from wbc_tf.files.find import find_images
from wbc_tf.files.pictures import read_rgb, write_image
from wbc_tf.images import reduce_to_short_side
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.precision import PRECISIONS
from wbc_tf.losses.perceptual import VggFeatures

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
#: As many panels and as many photos teach the probe.
TAUGHT = 80
#: Pictures are measured at the size at which people look at them.
SHORT_SIDE = 480


@dataclass(frozen=True)
class Figures:
    """Means over one set of pictures; content distance is to the photos."""

    flat: float
    edges: float
    content: float
    lightness: float
    drawn: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", help="white_box; again for one beside it")
    parser.add_argument("--authors", type=Path, help="model directory of the authors' weights")
    parser.add_argument("--photos", type=Path, default=SHARED / "data/photo_test")
    parser.add_argument("--count", type=int, default=26, help="how many of them are measured")
    parser.add_argument("--probe_photos", type=Path, default=SHARED / "data/photo")
    parser.add_argument("--cartoons", type=Path, default=SHARED / "data/cartoon")
    parser.add_argument(
        "--vgg_weights", type=Path, default=SHARED / "reference/vgg19/vgg19_blocks1-3.h5"
    )
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="the models'")
    parser.add_argument("--sheet", type=Path)
    add_json_flag(parser)
    options = parser.parse_args()
    records = Records(options.json)
    for path in (options.photos, options.probe_photos, options.cartoons, options.vgg_weights):
        if not path.exists():
            print(f"skipped: there is no {path}")
            records.skip("the embedded model", f"no {path.name} to measure with")
            return records.status

    photos = read_spread(options.photos, options.count)
    measure = Measure(
        panels=read_spread(options.cartoons, TAUGHT),
        photos=read_spread(options.probe_photos, TAUGHT),
        vgg_weights=options.vgg_weights,
    )
    records.add("accuracy of the probe on held-out halves", measure.accuracy, "ratio")
    print(f"{len(photos)} photos; flat, edges, content, lightness to the photos', drawn")
    plain = measure(photos, photos)
    show("photos", plain, plain)

    columns = {"photo": photos}
    authors = None
    if options.authors:
        cartoonizer = Cartoonizer.load(options.authors, precision=options.precision)
        columns["authors"] = [cartoonizer(photo) for photo in photos]
        authors = measure(columns["authors"], photos)
        show("authors' weights", authors, plain)
    for number, model in enumerate(options.model or ["white_box"]):
        cartoonizer = Cartoonizer.load(model, precision=options.precision)
        columns[model] = [cartoonizer(photo) for photo in photos]
        found = measure(columns[model], photos)
        show(model, found, plain)
        if number == 0:
            light = found.lightness / plain.lightness
            records.add("share of flat pixels", found.flat, "ratio", at_least=0.62)
            records.add("content distance", found.content, "ratio", at_most=0.15)
            records.add("lightness, to the photos'", light, "ratio", at_least=1.0, at_most=1.08)
            records.add("width of a halo", halo_width(cartoonizer), "px", at_most=3)
            records.add(
                "flicker, to the noise", flicker(cartoonizer, photos[0]), "ratio", at_most=1
            )
            if authors:
                edges, drawn = found.edges / authors.edges, found.drawn / authors.drawn
                records.add("edges, to the authors'", edges, "ratio", at_least=0.95)
                records.add("probability of drawn, to the authors'", drawn, "ratio", at_least=1.0)
    if options.sheet:
        write_image(options.sheet, contact_sheet(columns, height=300))
    return records.status


class Measure:
    """The figures of a set of pictures; a probe is taught by panels and photos."""

    def __init__(
        self, *, panels: Sequence[np.ndarray], photos: Sequence[np.ndarray], vgg_weights: Path
    ) -> None:
        self._vgg = VggFeatures("vgg19", LAYERS[-1], weights=str(vgg_weights))
        self._statistics = VggStatistics(self._vgg)
        kinds = [self._crops(panels), self._crops(photos)]
        self.accuracy = held_out_accuracy(*kinds)
        self._probe = LinearProbe.fit(*[rows.reshape(-1, rows.shape[-1]) for rows in kinds])

    def __call__(self, pictures: Sequence[np.ndarray], photos: Sequence[np.ndarray]) -> Figures:
        """The figures of pictures made from some photos, in the same order."""
        flat, edges = flatness_rows(pictures).mean(axis=0)
        content = [
            content_distance(photo, picture, self._vgg) for photo, picture in zip(photos, pictures)
        ]
        return Figures(
            flat=float(flat),
            edges=float(edges),
            content=float(np.mean(content)),
            lightness=float(np.mean([lightness(picture) for picture in pictures])),
            drawn=float(
                self._probe.probability(
                    self._crops(pictures).reshape(-1, VggStatistics.DIMENSION)
                ).mean()
            ),
        )

    def _crops(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return self._statistics(pictures).reshape(len(pictures), -1, VggStatistics.DIMENSION)


def lightness(picture: np.ndarray) -> float:
    """Mean of CIELAB's L over a uint8 RGB picture, 0 to 100."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return float(lab[..., 0].mean())


def halo_width(cartoonizer: Cartoonizer) -> float:
    """How far from an edge a cartoon differs by more than 4 grey levels from its flat halves.

    The widest of three edges, upright, in pixels at the working size.
    """
    widths = []
    for dark, light in ((40, 120), (90, 170), (150, 230)):
        photo = np.full([128, 192, 3], dark, np.uint8)
        photo[:, 96:] = light
        row = cartoonizer(photo)[64].astype(np.int16)
        flat = np.where(np.arange(192)[:, None] < 96, row[40], row[152])
        off = np.abs(row - flat).max(axis=-1)[24:-24] > 4
        distance = np.abs(np.arange(24, 168) - 95.5) + 0.5
        widths.append(float((distance * off).max()))
    return max(widths)


def flicker(cartoonizer: Cartoonizer, photo: np.ndarray, *, frames: int = 5) -> float:
    """Mean deviation over time of a static clip's cartoons, to that of its frames.

    The clip is one photo with normal noise of 2 grey levels, as a camera in fair light has it.
    """
    random = np.random.default_rng(0)
    clip = [
        np.clip(np.rint(photo + random.normal(0, 2, photo.shape)), 0, 255).astype(np.uint8)
        for _ in range(frames)
    ]
    before, after = (
        np.std(np.stack(pictures).astype(np.float32), axis=0).mean()
        for pictures in (clip, [cartoonizer(frame) for frame in clip])
    )
    return float(after / before)


def read_spread(folder: Path, count: int) -> list[np.ndarray]:
    """Some pictures of a folder, evenly from first to last, since neighbours are often alike."""
    paths = list(find_images(folder))
    if len(paths) < count:
        raise SystemExit(f"{folder}: {len(paths)} pictures, and it takes {count}")
    chosen = [paths[i] for i in np.arange(count) * len(paths) // count]
    return [reduce_to_short_side(read_rgb(path), SHORT_SIDE) for path in chosen]


def show(name: str, found: Figures, plain: Figures) -> None:
    print(
        f"  {name:28} {found.flat:.2f}  {found.edges:5.1f}  {found.content:.3f}  "
        f"{found.lightness / plain.lightness:.2f}  {found.drawn:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
