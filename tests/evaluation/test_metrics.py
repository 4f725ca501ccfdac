from __future__ import annotations

import logging

import numpy as np
import pytest
import scipy.linalg

from wbc_tf.evaluation import metrics
from wbc_tf.evaluation.config import METRICS
from wbc_tf.evaluation.inception import InceptionWeightsError
from wbc_tf.evaluation.metrics import Evaluator, fid, flatness, kid, of_one_size, style
from wbc_tf.evaluation.pictures import PictureFolder
from wbc_tf.evaluation.vgg_statistics import CROPS_PER_PICTURE
from wbc_tf.files.pictures import write_image

LABELS = ("generated", "reference", "photos")


def _rows(count=40, dimension=3, labels=LABELS):
    random = np.random.default_rng(0)
    return {label: random.normal(i, 1 + i, [count, dimension]) for i, label in enumerate(labels)}


def _told(figures):
    return [(figure.metric, figure.of, figure.to) for figure in figures]


def _frechet(a, b):
    """From the definition, with NumPy's covariances and SciPy's root of the product."""
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    shift = a.mean(axis=0) - b.mean(axis=0)
    return shift @ shift + np.trace(covariances[0] + covariances[1] - 2 * root)


def _by_comparison(figures):
    return {(figure.of, figure.to): figure.value for figure in figures}


@pytest.mark.parametrize(("metric", "name"), [(fid, "fid"), (kid, "kid")])
def test_inception_distances_of_all_that_is_there(metric, name):
    protocol = f"{name}_inceptionv3_keras_299_antialias"
    to_reference = (protocol, "generated", "reference")
    assert _told(metric(_rows())) == [
        to_reference,
        (protocol, "photos", "reference"),
        (protocol, "generated", "photos"),
    ]
    assert _told(metric(_rows(labels=LABELS[:2]))) == [to_reference]


def test_fid_agrees_with_the_definition():
    rows = _rows()
    for (of, to), value in _by_comparison(fid(rows)).items():
        assert value == pytest.approx(_frechet(rows[of], rows[to]), rel=1e-9)


def test_kid_has_its_interval_around_it():
    for figure in kid(_rows()):
        low, high = figure.interval
        assert low < figure.value < high


def test_style_is_measured_in_a_third_of_the_reference_against_the_others():
    """Done again with eigenvectors of the correlation matrix."""
    random = np.random.default_rng(1)
    crops, dimension = CROPS_PER_PICTURE, metrics.VggStatistics.DIMENSION
    mixing = random.normal(size=[40, dimension])
    rows = {
        label: (random.normal(size=[count * crops, 40]) @ mixing + 7 + shift).reshape(count, -1)
        for label, count, shift in (("generated", 50, 0.5), ("reference", 90, 0.0))
    }
    third = rows["reference"][[i for i in range(90) if i % 3 == 0]].reshape(-1, dimension)
    others = rows["reference"][[i for i in range(90) if i % 3 != 0]].reshape(-1, dimension)
    mean, deviation = third.mean(axis=0), third.std(axis=0)
    standardised = (third - mean) / deviation
    _, vectors = np.linalg.eigh(standardised.T @ standardised)
    generated, others = (
        (each.reshape(-1, dimension) - mean) / deviation @ vectors[:, -32:]
        for each in (rows["generated"], others)
    )
    (figure,) = style(rows)
    assert _told([figure]) == [("style_vgg19_block3_conv4_256_pca32", "generated", "reference")]
    assert figure.value == pytest.approx(_frechet(generated, others), rel=1e-6)


def test_twenty_five_reference_pictures_are_enough():
    random = np.random.default_rng(4)
    width = CROPS_PER_PICTURE * metrics.VggStatistics.DIMENSION
    rows = {label: random.normal(size=[25, width]) for label in ("generated", "reference")}
    assert len(style(rows)) == 1
    with pytest.raises(ValueError, match="24 reference pictures are too few"):
        style({**rows, "reference": rows["reference"][:24]})


def test_flatness_is_a_mean_over_pictures_for_each_set():
    figures = flatness({"generated": np.array([[0.2, 90.0], [0.6, 110.0]])})
    assert [(figure.metric, figure.value) for figure in figures] == [
        ("flat_share_sobel_4", pytest.approx(0.4)),
        ("edge_strength_sobel_p99", 100.0),
    ]


def test_content_is_compared_at_the_cartoons_size():
    photo = np.random.default_rng(2).integers(0, 256, [64, 90, 3], dtype=np.uint8)
    same = of_one_size(photo, photo)
    assert all(np.array_equal(each, photo) for each in same)
    flat = np.full([1440, 2000, 3], 80, np.uint8)
    assert [each.shape for each in of_one_size(flat, flat)] == [(720, 1000, 3)] * 2
    # Made at working resolution and cropped to multiples of 8, as the authors' program does.
    shapes = [each.shape for each in of_one_size(flat, flat[:720, :992])]
    assert shapes == [(720, 992, 3)] * 2
    shrunk, _ = of_one_size(photo.repeat(2, axis=0).repeat(2, axis=1), photo)
    np.testing.assert_array_equal(shrunk, photo)


def test_other_proportions_do_not_compare():
    with pytest.raises(ValueError, match="photo of 90x64 and cartoon of 64x90"):
        of_one_size(np.zeros([64, 90, 3], np.uint8), np.zeros([90, 64, 3], np.uint8))


@pytest.fixture
def folders(tmp_path):
    random = np.random.default_rng(3)
    for label in LABELS:
        (tmp_path / label).mkdir()
        for i in range(4):
            picture = random.integers(0, 256, [40 + i, 50, 3], dtype=np.uint8)
            write_image(tmp_path / label / f"{i}.png", picture)
    return {label: PictureFolder(tmp_path / label, label=label) for label in LABELS}


def _evaluator(*names):
    return Evaluator(names, weights="imagenet", vgg_weights="random")


class _Features:
    """In the place of Inception: the mean colour of each picture."""

    md5 = "0" * 32

    def __init__(self, weights):
        pass

    def __call__(self, pictures):
        return np.array([picture.mean(axis=(0, 1)) for picture in pictures])


class _Statistics(metrics.VggStatistics):
    """VGG statistics of nothing, at no cost."""

    def __call__(self, images):
        return np.zeros([len(images), CROPS_PER_PICTURE * self.DIMENSION])


def test_a_folder_is_read_once_for_all_metrics(folders, monkeypatch, caplog):
    monkeypatch.setattr(metrics, "InceptionFeatures", _Features)
    reads = []
    read = PictureFolder.read
    monkeypatch.setattr(
        PictureFolder, "read", lambda self, file: reads.append(file) or read(self, file)
    )
    evaluator = _evaluator("kid", "flatness")
    first = evaluator.measure(["kid", "flatness"], folders)
    assert len(reads) == 12
    assert first.missing == {}
    assert first.figures == evaluator.measure(["kid", "flatness"], folders).figures
    assert len(reads) == 12
    assert evaluator.details == {"inception_weights_md5": "0" * 32}


def test_content_of_pairs_and_who_is_left_alone(folders, tmp_path):
    (tmp_path / "generated" / "3.png").rename(tmp_path / "generated" / "4.png")
    (tmp_path / "generated" / "2.png").write_bytes((tmp_path / "photos" / "2.png").read_bytes())
    turned = np.zeros([50, 41, 3], np.uint8)
    write_image(tmp_path / "generated" / "1.png", turned)
    (tmp_path / "generated" / "0.png").unlink()
    again = {
        label: PictureFolder(tmp_path / label, label=label) for label in ("generated", "photos")
    }
    result = _evaluator("content").measure(["content"], again)
    assert _told(result.figures) == [
        ("content_cosine_vgg19_block3_conv4_720", "generated", "photos")
    ]
    assert result.figures[0].value == pytest.approx(0, abs=1e-6)  # the pair that is left is equal
    assert [phrase.partition(":")[0] for phrase in result.alone] == ["0", "3", "4", "1"]
    assert "other proportions" in result.alone[-1]


def test_without_any_pair_content_is_missing(folders, tmp_path):
    for file in folders["generated"].files:
        file.rename(file.with_stem(f"{file.stem}_cartoon"))
    again = {**folders, "generated": PictureFolder(tmp_path / "generated", label="generated")}
    result = _evaluator("content").measure(["content"], again)
    assert result.figures == []
    assert "has a counterpart" in result.missing["content"]


def test_too_few_pictures_are_a_reason_and_the_other_metrics_go_on(folders, monkeypatch):
    monkeypatch.setattr(metrics, "VggStatistics", _Statistics)
    result = _evaluator("style", "flatness").measure(["style", "flatness"], folders)
    assert "4 reference pictures are too few" in result.missing["style"]
    assert "Take 25 or more" in result.missing["style"]
    assert {figure.metric for figure in result.figures} == {
        "flat_share_sobel_4",
        "edge_strength_sobel_p99",
    }


def test_weights_that_cannot_be_had_are_a_reason(folders, monkeypatch, tmp_path):
    def offline(weights):
        raise InceptionWeightsError("no connection")

    monkeypatch.setattr(metrics, "InceptionFeatures", offline)
    evaluator = Evaluator(METRICS, weights="imagenet", vgg_weights=str(tmp_path / "none.h5"))
    result = evaluator.measure(METRICS, folders)
    assert sorted(result.missing) == ["content", "fid", "kid", "style"]
    assert result.missing["fid"] == "no connection"
    assert "none.h5" in result.missing["content"]
    assert len(result.figures) == 6


def test_too_few_pictures_for_fid_are_warned_of(folders, monkeypatch, caplog):
    monkeypatch.setattr(metrics, "InceptionFeatures", _Features)
    few = {label: PictureFolder(folder.folder, label=label) for label, folder in folders.items()}
    few["generated"].files = few["generated"].files[:3]
    with caplog.at_level(logging.WARNING):
        _evaluator("fid").measure(["fid"], few)
    assert "3 samples are too few for a covariance of 3 dimensions" in caplog.text
