"""The metrics by name. A picture is read once for all metrics that need it alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from tqdm import tqdm

from wbc_tf.evaluation.content_distance import content_distance
from wbc_tf.evaluation.figures import Figure
from wbc_tf.evaluation.flatness import flatness_rows
from wbc_tf.evaluation.frechet import frechet_distance, gaussian_of
from wbc_tf.evaluation.inception import PROTOCOL, InceptionFeatures, InceptionWeightsError
from wbc_tf.evaluation.kernel import kernel_distance
from wbc_tf.evaluation.pictures import Extractor, PictureFolder, extract_rows, paired
from wbc_tf.evaluation.vgg_statistics import (
    COMPONENTS,
    CROP,
    CROPS_PER_PICTURE,
    LAYERS,
    THIRD,
    VggStatistics,
    crop_rows,
    split_style,
    style_distance,
)
from wbc_tf.images import reduce_to_short_side
from wbc_tf.losses.perceptual import VggFeatures, VggWeightsError

#: Rows of numbers of each set of pictures, by its label; "generated" is always there.
Rows = Mapping[str, np.ndarray]

#: What is compared with what. The photos against the reference are where a method starts from.
_COMPARISONS = (("generated", "reference"), ("photos", "reference"), ("generated", "photos"))


#: Content is compared at the size that networks work at; it also keeps VGG's memory in bounds.
_CONTENT_SHORT_SIDE = 720
#: How far the proportions of photo and cartoon may differ: the authors' program cuts seven pixels.
_PROPORTIONS = 0.05


def _comparisons(rows: Rows) -> list[tuple[str, str]]:
    return [(of, to) for of, to in _COMPARISONS if of in rows and to in rows]


def fid(rows: Rows) -> list[Figure]:
    """Fréchet Inception Distances (Heusel et al., NeurIPS 2017)."""
    gaussians = {label: gaussian_of(features) for label, features in rows.items()}
    return [
        Figure(f"fid_{PROTOCOL}", of, to, frechet_distance(gaussians[of], gaussians[to]))
        for of, to in _comparisons(rows)
    ]


def kid(rows: Rows) -> list[Figure]:
    """Kernel Inception Distances (Bińkowski et al., ICLR 2018), with their 95% intervals."""
    found = {(of, to): kernel_distance(rows[of], rows[to]) for of, to in _comparisons(rows)}
    return [
        Figure(f"kid_{PROTOCOL}", of, to, distance.value, distance.interval)
        for (of, to), distance in found.items()
    ]


def style(rows: Rows) -> list[Figure]:
    """Fréchet distances of VGG statistics, within the space of a third of the reference.

    Raises:
      ValueError: too few reference pictures to make that space.
    """
    least = THIRD * (COMPONENTS // CROPS_PER_PICTURE) + 1
    if len(rows["reference"]) < least:
        raise ValueError(
            f"{len(rows['reference'])} reference pictures are too few: every third makes the "
            f"{COMPONENTS} components of the style. Take {least} or more"
        )
    space, rest = split_style(rows["reference"])
    name = f"style_vgg19_{LAYERS[-1]}_{CROP}_pca{COMPONENTS}"
    return [
        Figure(name, of, "reference", style_distance(crop_rows(rows[of]), rest, space=space))
        for of in ("generated", "photos")
        if of in rows
    ]


def flatness(rows: Rows) -> list[Figure]:
    """Share of nearly flat pixels and strength of edges, means over the pictures."""
    return [
        Figure(name, label, None, float(rows[label][:, column].mean()))
        for column, name in enumerate(("flat_share_sobel_4", "edge_strength_sobel_p99"))
        for label in ("generated", "photos", "reference")
        if label in rows
    ]


#: name -> the extractor whose rows it is made of, and how.
_FROM_ROWS: dict[str, tuple[str, Callable[[Rows], list[Figure]]]] = {
    "fid": ("inception", fid),
    "kid": ("inception", kid),
    "style": ("style", style),
    "flatness": ("flatness", flatness),
}


@dataclass
class Measurement:
    """The result of a measurement.

    Attributes:
      figures: in the order of the metrics.
      missing: metric -> why it could not be measured.
      alone: for content, a phrase for each photo or cartoon without a counterpart.
    """

    figures: list[Figure] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    alone: list[str] = field(default_factory=list)


class Evaluator:
    """Measures folders of pictures by some metrics; for these it reads a folder only once.

    Args:
      metrics: some of `wbc_tf.evaluation.config.METRICS`.
      weights: of InceptionV3, see `InceptionFeatures`.
      vgg_weights: of VGG19, see `wbc_tf.losses.perceptual.VggFeatures`.
    """

    def __init__(self, metrics: Iterable[str], *, weights: str, vgg_weights: str) -> None:
        #: The metrics that cannot be measured on any pictures, and why.
        self.missing: dict[str, str] = {}
        #: What the figures depend on beside the pictures, for the record.
        self.details: dict[str, str] = {}
        self._extractors: dict[str, Extractor] = {"flatness": flatness_rows}
        self._rows: dict[PictureFolder, dict[str, np.ndarray]] = {}
        if wanted := [metric for metric in metrics if metric in ("fid", "kid")]:
            try:
                inception = InceptionFeatures(weights)
            except InceptionWeightsError as error:
                self.missing.update(dict.fromkeys(wanted, str(error)))
            else:
                self._extractors["inception"] = inception
                self.details["inception_weights_md5"] = inception.md5
        if wanted := [metric for metric in metrics if metric in ("style", "content")]:
            try:
                self._vgg = VggFeatures("vgg19", LAYERS[-1], weights=vgg_weights)
            except VggWeightsError as error:
                self.missing.update(dict.fromkeys(wanted, str(error)))
            else:
                self._extractors["style"] = VggStatistics(self._vgg)
                self.details["vgg_weights"] = vgg_weights

    def measure(self, metrics: Iterable[str], folders: Mapping[str, PictureFolder]) -> Measurement:
        """The figures of some metrics, among those of the evaluator.

        Args:
          metrics: those to measure.
          folders: label -> pictures: "generated", "reference" and, for content, "photos".

        Raises:
          NoPicturesError: a folder in which nothing can be read.
        """
        result = Measurement()
        result.missing = {
            metric: self.missing[metric] for metric in metrics if metric in self.missing
        }
        wanted = [metric for metric in metrics if metric not in self.missing]
        rows = {label: self._rows_of(folder, wanted) for label, folder in folders.items()}
        for metric in wanted:
            try:
                if metric == "content":
                    result.figures += self._content(folders, result.alone)
                else:
                    extractor, figures = _FROM_ROWS[metric]
                    result.figures += figures({label: rows[label][extractor] for label in rows})
            except ValueError as error:  # too few pictures, or features that are no numbers
                result.missing[metric] = str(error)
        return result

    def _rows_of(self, folder: PictureFolder, metrics: Iterable[str]) -> dict[str, np.ndarray]:
        known = self._rows.setdefault(folder, {})
        needed = {_FROM_ROWS[metric][0] for metric in metrics if metric in _FROM_ROWS}
        if needed := needed - known.keys():
            extractors = {name: self._extractors[name] for name in sorted(needed)}
            known.update(extract_rows(folder, extractors))
        return known

    def _content(self, folders: Mapping[str, PictureFolder], alone: list[str]) -> list[Figure]:
        """Cosine distance of features, mean over the pairs; fills `alone`."""
        photos, generated = folders["photos"], folders["generated"]
        pairs, unpaired = paired(photos, generated)
        alone += unpaired
        distances = []
        for files in tqdm(pairs, desc="content", unit="pair", disable=None):
            photo, cartoon = photos.read(files[0]), generated.read(files[1])
            if photo is None or cartoon is None:
                continue
            try:
                photo, cartoon = of_one_size(photo, cartoon)
            except ValueError as error:
                alone.append(f"{photos.name_of(files[0])}: {error}")
                continue
            distances.append(content_distance(photo, cartoon, self._vgg))
        if not distances:
            raise ValueError(f"no photo of {photos.folder} has a counterpart in {generated.folder}")
        name = f"content_cosine_vgg19_{LAYERS[-1]}_{_CONTENT_SHORT_SIDE}"
        return [Figure(name, "generated", "photos", float(np.mean(distances)))]


def of_one_size(photo: np.ndarray, cartoon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A photo and its cartoon at one size, with a short side of 720 pixels at most.

    Where they differ, since the cartoon was made at another size or cropped by some pixels, the
    photo is brought to the cartoon's.

    Raises:
      ValueError: pictures of other proportions.
    """
    photo, cartoon = (reduce_to_short_side(each, _CONTENT_SHORT_SIDE) for each in (photo, cartoon))
    (height, width), (new_height, new_width) = photo.shape[:2], cartoon.shape[:2]
    if abs(np.log(height * new_width / (width * new_height))) > _PROPORTIONS:
        raise ValueError(
            f"photo of {width}x{height} and cartoon of {new_width}x{new_height} have other "
            "proportions"
        )
    if photo.shape != cartoon.shape:
        shrinks = new_height * new_width < height * width
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        photo = cv2.resize(photo, (new_width, new_height), interpolation=method)
    return photo, cartoon
