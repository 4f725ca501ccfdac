from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.evaluation.conftest import Colours
from tests.evaluation.test_curves import points
from wbc_tf.evaluation import metrics
from wbc_tf.evaluation.config import EvaluationConfig, EvaluationError
from wbc_tf.evaluation.curves import RunCurves
from wbc_tf.evaluation.pictures import NoPicturesError
from wbc_tf.evaluation.run import measure_run
from wbc_tf.files.pictures import read_rgb
from wbc_tf.inference.cartoonizer import Cartoonizer


class Run:
    """A run whose generator is the same at every step."""

    def __init__(self, model: Path, *steps: int) -> None:
        self.kept = {step: f"step-{step}" for step in steps}
        self.exported: list[int] = []
        self._model = model

    def export(self, step: int, path: str, directory: Path) -> None:
        assert path == self.kept[step]
        self.exported.append(step)
        shutil.copytree(self._model, directory)


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    return folder


def _measure(workdir: Path, run: Run, folders: dict[str, str], *metrics: str) -> bool:
    config = EvaluationConfig(
        generated=None,
        workdir=str(workdir),
        reference=folders["reference"],
        photos=folders["photos"],
        metrics=metrics,
        vgg_weights="random",
    )
    return measure_run(config, workdir, lambda path: run)


def test_each_checkpoint_becomes_a_point_of_the_curves(
    workdir: Path,
    picture_folders: dict[str, str],
    tiny_model: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (Path(picture_folders["photos"]) / "4.bmp").write_bytes(b"no picture")
    assert not _measure(workdir, Run(tiny_model, 10, 20), picture_folders, "kid", "content")
    told = capsys.readouterr()
    assert told.err.count("4.bmp") == 1, "a broken photo is named at the first step only"
    assert "step 10\n" in told.out
    curves = points(workdir)
    kid = "evaluation/kid_inceptionv3_keras_299_antialias_to_"
    content = "evaluation/content_cosine_vgg19_block3_conv4_720_to_photos"
    assert [(tag, step) for tag, step, _ in curves] == [
        *((content, step) for step in (10, 20)),
        *((f"{kid}photos", step) for step in (10, 20)),
        *((f"{kid}reference", step) for step in (10, 20)),
    ]
    # The last point again, from what the model itself makes of the photos.
    cartoonize = Cartoonizer.load(tiny_model)
    photos, reference = (
        [read_rgb(path) for path in sorted(Path(picture_folders[label]).iterdir())[:count]]
        for label, count in (("photos", 4), ("reference", 5))
    )
    features = {
        "generated": Colours("")([cartoonize(photo) for photo in photos]),
        "reference": Colours("")(reference),
    }
    assert curves[-1][2] == pytest.approx(metrics.kid(features)[0].value, rel=1e-6)


def test_what_is_measured_is_not_measured_again(
    workdir: Path, picture_folders: dict[str, str], tiny_model: Path
) -> None:
    run = Run(tiny_model, 10, 20)
    assert _measure(workdir, run, picture_folders, "flatness")
    first = points(workdir)
    assert _measure(workdir, run, picture_folders, "flatness")
    assert run.exported == [10, 20]
    assert points(workdir) == first
    # A metric that is new, and a step that is new, are measured.
    assert _measure(workdir, run, picture_folders, "flatness", "fid")
    assert _measure(workdir, Run(tiny_model, 20, 30), picture_folders, "flatness", "fid")
    lines = (workdir / "evaluation.jsonl").read_text().splitlines()
    assert [(json.loads(line)["step"], json.loads(line)["metrics"]) for line in lines] == [
        (10, ["flatness"]),
        (20, ["flatness"]),
        (10, ["fid"]),
        (20, ["fid"]),
        (30, ["flatness", "fid"]),
    ]


def test_photos_that_cannot_be_cartoonized_are_told_apart(
    workdir: Path,
    picture_folders: dict[str, str],
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(self, images, **options):
        raise MemoryError("too little of it")

    monkeypatch.setattr(Cartoonizer, "__call__", fails)
    with pytest.raises(NoPicturesError, match="none of its pictures could be cartoonized"):
        _measure(workdir, Run(tiny_model, 10), picture_folders, "flatness")
    assert capsys.readouterr().err.count("too little of it") >= 5
    for path in Path(picture_folders["photos"]).iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(NoPicturesError, match="none of its pictures can be read"):
        _measure(workdir, Run(tiny_model, 10), picture_folders, "flatness")
    assert not (workdir / "evaluation.jsonl").exists()


def test_other_photos_would_break_the_curves(
    workdir: Path, picture_folders: dict[str, str], tiny_model: Path
) -> None:
    before = {"photos": {"folder": "others", "count": 5}}
    RunCurves(workdir, before).add(10, ["flatness"], [], details={})
    with pytest.raises(EvaluationError, match=r"--workdir: .* has figures on other pictures"):
        _measure(workdir, Run(tiny_model, 10), picture_folders, "flatness")


def test_a_run_without_checkpoints(
    workdir: Path, picture_folders: dict[str, str], tiny_model: Path
) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint yet"):
        _measure(workdir, Run(tiny_model), picture_folders, "flatness")
