"""How good a model's pictures are, in four figures on forty photos that it was not trained on.

    python -m benchmarks.default_model [--model DIRECTORY ...] [--sheet FILE]

The figures are those of ``wbc_tf.evaluation``: the Fréchet distance to the comic panels in the
space of VGG19's channel statistics, set against the plain photos'; the share of nearly flat pixels;
the content distance; and the edges, set against the photos'. The style's space is made of every
third panel, and the distance taken to the others. None of the figures means anything alone: a blur
is flat, and noise has edges. ``--sheet`` writes all forty photos and cartoons side by side, to look
at.

Exits with 1 if the first model misses a bound; the bounds are those we hold the embedded one to.
Further models are measured beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks._records import Records, add_json_flag
from wbc_tf.comparison.contact_sheet import contact_sheet
from wbc_tf.evaluation.content_distance import content_distance
from wbc_tf.evaluation.flatness import flatness_rows
from wbc_tf.evaluation.vgg_statistics import (
    LAYERS,
    THIRD,
    VggStatistics,
    crop_rows,
    split_style,
    style_distance,
)
from wbc_tf.files.find import find_images
from wbc_tf.files.pictures import read_rgb, write_image
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.precision import PRECISIONS
from wbc_tf.losses.perceptual import VggFeatures

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
#: Of the photos beside the checkout, those that the embedded model was not trained on.
HELD_OUT = "bsds_*"
PHOTOS = 40


@dataclass(frozen=True)
class Figures:
    """Of one set of pictures; content distance is to the photos."""

    style: float
    flat: float
    edges: float
    content: float = 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", help="white_box; again for one beside it")
    parser.add_argument("--photos", type=Path, default=SHARED / "data/photo")
    parser.add_argument("--cartoons", type=Path, default=SHARED / "data/cartoon")
    parser.add_argument(
        "--vgg_weights", type=Path, default=SHARED / "reference/vgg19/vgg19_blocks1-3.h5"
    )
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="the models'")
    parser.add_argument("--sheet", type=Path)
    add_json_flag(parser)
    options = parser.parse_args()
    records = Records(options.json)
    for path in (options.photos, options.cartoons, options.vgg_weights):
        if not path.exists():
            print(f"skipped: there is no {path}")
            records.skip("the embedded model", f"no {path.name} to measure with")
            return records.status

    photos = spread([read_rgb(path) for path in sorted(options.photos.glob(HELD_OUT))])
    panels = [read_rgb(path) for path in find_images(options.cartoons)]
    measure = Measure(panels, vgg_weights=options.vgg_weights)
    plain = measure(photos)
    print(f"{len(photos)} photos, {len(panels)} panels; style distance, flat, edges, content")
    show("photos", plain, plain)
    show("held-out panels", measure.panels(), plain)

    columns = {"photo": photos}
    for number, model in enumerate(options.model or ["white_box"]):
        cartoonizer = Cartoonizer.load(model, precision=options.precision)
        columns[model] = [cartoonizer(photo) for photo in photos]
        found = measure(columns[model], photos=photos)
        show(model, found, plain)
        if number == 0:
            less = 1 - found.style / plain.style
            records.add("style distance below the photos'", less, "ratio", at_least=0.30)
            records.add("share of flat pixels", found.flat, "ratio", at_least=0.45)
            records.add("content distance", found.content, "ratio", at_most=0.13)
            records.add("edges, to the photos'", found.edges / plain.edges, "ratio", at_least=0.9)
    if options.sheet:
        write_image(options.sheet, contact_sheet(columns, height=300))
    return records.status


class Measure:
    """The figures of a set of pictures against a style's panels."""

    def __init__(self, panels: Sequence[np.ndarray], *, vgg_weights: Path) -> None:
        self._vgg = VggFeatures("vgg19", LAYERS[-1], weights=str(vgg_weights))
        self._statistics = VggStatistics(self._vgg)
        self._space, self._style = split_style(self._statistics(panels))
        self._some_panels = spread(panels[::THIRD])  # none that it is compared with

    def __call__(
        self, pictures: Sequence[np.ndarray], *, photos: Sequence[np.ndarray] = ()
    ) -> Figures:
        """The figures of some pictures, in the photos' order if those are given."""
        flat, edges = flatness_rows(pictures).mean(axis=0)
        content = [
            content_distance(photo, picture, self._vgg) for photo, picture in zip(photos, pictures)
        ]
        crops = crop_rows(self._statistics(pictures))
        return Figures(
            style=style_distance(crops, self._style, space=self._space),
            flat=float(flat),
            edges=float(edges),
            content=float(np.mean(content)) if content else 0.0,
        )

    def panels(self) -> Figures:
        """What panels themselves reach, as many of them as there are photos."""
        return self(self._some_panels)


def spread(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """`PHOTOS` of the pictures, evenly from first to last; neighbours are often alike."""
    if len(pictures) < PHOTOS:
        raise SystemExit(f"{len(pictures)} pictures to measure with; it takes {PHOTOS}")
    return [pictures[i] for i in np.arange(PHOTOS) * len(pictures) // PHOTOS]


def show(name: str, found: Figures, plain: Figures) -> None:
    print(
        f"  {name:28} {found.style:5.0f} ({found.style / plain.style - 1:+4.0%})  {found.flat:.2f}"
        f"  {found.edges:5.1f} ({found.edges / plain.edges:.2f})  {found.content:.3f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
