from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.evaluation.test_curves import drawn
from wbc_tf import evaluate
from wbc_tf.evaluation import metrics
from wbc_tf.evaluation.curves import RunCurves
from wbc_tf.files.pictures import read_rgb, write_image
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.methods.registry import RunNotFoundError
from wbc_tf.methods.white_box import serving
from wbc_tf.methods.white_box.generator import build_generator
from wbc_tf.training.checkpoints import RunCheckpoints

Call = Callable[..., object]


class Colours:
    """In the place of Inception, whose weights nobody has here: each picture's mean colour."""

    md5 = "0" * 32

    def __init__(self, weights: str) -> None:
        self.weights = weights

    def __call__(self, pictures):
        return np.array([picture.mean(axis=(0, 1)) for picture in pictures])


@pytest.fixture
def folders(tmp_path, monkeypatch) -> dict[str, Path]:
    """Five pictures of each kind, the cartoons named as their photos are."""
    monkeypatch.setattr(metrics, "InceptionFeatures", Colours)
    random = np.random.default_rng(0)
    folders = {}
    for label, extension in (("generated", "png"), ("reference", "png"), ("photos", "bmp")):
        folders[label] = tmp_path / label
        folders[label].mkdir()
        for i in range(5):
            picture = random.integers(0, 256, [24 + i, 33, 3], dtype=np.uint8)
            write_image(folders[label] / f"{i}.{extension}", picture)
    return folders


def flags_of(folders, *labels: str) -> list[str]:
    return [f"--{label}={folders[label]}" for label in labels or folders]


QUICK = "--metrics=fid,kid,flatness,content"
RANDOM = "--vgg_weights=random"


def test_a_table_and_a_line_of_json(folders, tmp_path, call: Call) -> None:
    record = tmp_path / "figures.json"
    outcome = call(evaluate, *flags_of(folders), QUICK, RANDOM, f"--json={record}")
    assert outcome.status == 0, outcome.err
    *table, blank, line = outcome.out.splitlines()
    assert blank == ""
    assert table[0].split() == ["metric", "of", "to", "value", "95%", "interval"]
    assert len({row.index(" generated ") for row in table if " generated " in row}) == 1
    document = json.loads(line)
    assert json.loads(record.read_text()) == document
    told = [(f["metric"], f["of"], f.get("to")) for f in document["figures"]]
    assert told[0] == ("fid_inceptionv3_keras_299_antialias", "generated", "reference")
    assert ("content_cosine_vgg19_block3_conv4_720", "generated", "photos") in told
    assert len(told) == len(table) - 1 == 3 + 3 + 6 + 1
    assert document["not_measured"] == {}
    assert document["not_paired"] == []
    assert document["pictures"]["photos"] == {
        "folder": str(folders["photos"]),
        "count": 5,
        "broken": 0,
        "smallest": [33, 24],
        "largest": [33, 28],
    }
    assert document["versions"]["tensorflow"] == tf.__version__
    assert document["versions"]["numpy"] == np.__version__
    assert {"wbc_tf"} < document["versions"].keys()
    assert document["inception_weights_md5"] == "0" * 32
    assert document["vgg_weights"] == "random"


def test_figures_are_those_of_the_pictures(folders, call: Call) -> None:
    outcome = call(evaluate, *flags_of(folders, "generated", "reference"), "--metrics=fid,flatness")
    figures = json.loads(outcome.out.splitlines()[-1])["figures"]
    features = {
        label: Colours("")([read_rgb(path) for path in sorted(folders[label].iterdir())])
        for label in ("generated", "reference")
    }
    assert figures[0]["value"] == pytest.approx(metrics.fid(features)[0].value, rel=1e-9)
    assert [(f["metric"], f["of"]) for f in figures[1:]] == [
        ("flat_share_sobel_4", "generated"),
        ("flat_share_sobel_4", "reference"),
        ("edge_strength_sobel_p99", "generated"),
        ("edge_strength_sobel_p99", "reference"),
    ]


def test_content_without_photos_is_left_out_but_not_in_silence(folders, call, monkeypatch) -> None:
    arguments = flags_of(folders, "generated", "reference")
    monkeypatch.setattr(evaluate, "METRICS", ("flatness", "content"))
    outcome = call(evaluate, *arguments)
    assert outcome.status == 0, outcome.err
    assert outcome.out.splitlines()[-3].split() == ["content", "not", "measured"]
    document = json.loads(outcome.out.splitlines()[-1])
    assert document["not_measured"] == {"content": "--photos is not given"}


def test_broken_and_unpaired_pictures_are_named(folders, call: Call) -> None:
    (folders["generated"] / "1.png").write_bytes(b"no picture")
    (folders["photos"] / "2.bmp").unlink()
    outcome = call(evaluate, *flags_of(folders), "--metrics=flatness,content", RANDOM)
    assert outcome.status == 1
    assert outcome.err.count(f"failed: {folders['generated'] / '1.png'}: ") == 1
    assert f"not compared in content: 1: not in {folders['generated']}" in outcome.err
    assert f"not compared in content: 2: not in {folders['photos']}" in outcome.err
    assert "1 broken pictures were left out" in outcome.err
    document = json.loads(outcome.out.splitlines()[-1])
    assert document["pictures"]["generated"]["broken"] == 1
    assert len(document["not_paired"]) == 2
    assert document["figures"][-1]["metric"].startswith("content")


def test_weights_that_cannot_be_had_leave_the_other_metrics(folders, call, monkeypatch) -> None:
    def offline(**_):
        raise Exception("URL fetch failure on https://example.org: None -- no route to host")

    monkeypatch.undo()
    monkeypatch.setattr(tf.keras.applications, "InceptionV3", offline)
    monkeypatch.setattr(sys, "argv", [])
    arguments = flags_of(folders, "generated", "reference")
    outcome = call(evaluate, *arguments, "--metrics=fid,kid,flatness")
    assert outcome.status == 1
    assert "Traceback" not in outcome.err
    assert "fid, kid: not measured: The ImageNet weights of InceptionV3 could not" in outcome.err
    assert "--weights=PATH" in outcome.err
    table = outcome.out.splitlines()[:-2]
    assert [row.split()[0] for row in table if row.endswith("not measured")] == ["fid", "kid"]
    document = json.loads(outcome.out.splitlines()[-1])
    assert len(document["figures"]) == 4
    assert sorted(document["not_measured"]) == ["fid", "kid"]


def test_a_folder_of_broken_pictures_only(folders, call: Call) -> None:
    for path in folders["generated"].iterdir():
        path.write_bytes(b"no picture")
    outcome = call(evaluate, *flags_of(folders, "generated", "reference"), "--metrics=flatness")
    assert outcome.status == 1
    assert f"{folders['generated']}: none of its pictures can be read" in outcome.err
    assert outcome.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "either --generated or --workdir"),
        (("--generated=g", "--workdir=w"), "either --generated or --workdir"),
        (("--generated=g",), "--reference is missing"),
        (("--workdir=w", "--reference=r"), "--photos is missing"),
        (("--generated=nowhere", "--reference=r"), "--generated: nowhere: there is no such folder"),
        (("--generated=.", "--reference=."), "--generated: .: no pictures in it"),
        (("--generated=g", "--reference=r", "--metrics=fid,beauty"), "choose from fid, kid,"),
        (("--generated=g", "--reference=r", "--metrics=content"), "give --photos"),
        (("--generated=g", "--reference=r", "--json=no/f.json"), "no such folder to write to"),
        (("--workdir=w", "--reference=r", "--photos=p", "--json=f"), "evaluation.jsonl"),
    ],
)
def test_calls_that_make_no_sense(arguments, message, tmp_path, call, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = call(evaluate, *arguments)
    assert outcome.status == 2
    assert message in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_help_does_not_wait_for_tensorflow(root: Path) -> None:
    script = (
        "import sys\nfrom wbc_tf import evaluate\n"
        "sys.argv = ['evaluate', '--help']\n"
        "try:\n    evaluate.run()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--vgg_weights" in done.stdout


# A run's checkpoints.


class Run:
    """A method as far as the evaluation asks: its generator's average is the generator."""

    def __init__(self) -> None:
        self.generator = build_generator(channels=4, blocks=1)
        self.exports = 0
        #: Where only the number of exports counts: this model instead, which is quicker.
        self.ready_made: Path | None = None

    def state(self):
        return {"generator": self.generator}

    def export(self, directory: Path) -> None:
        self.exports += 1
        if self.ready_made:
            shutil.copytree(self.ready_made, directory)
            return
        serving.save(self.generator, directory, metadata={"licence": "none"})

    def shift_output(self, by: float) -> None:
        """Makes the cartoons brighter, so that each step has figures of its own."""
        bias = self.generator.variables[-1]
        bias.assign(tf.fill(bias.shape, by))


@pytest.fixture
def run(folders, tmp_path, monkeypatch) -> tuple[Path, Run]:
    """A run folder with checkpoints at steps 10 and 20."""
    workdir = tmp_path / "runs" / "mine"
    workdir.mkdir(parents=True)
    method = Run()
    checkpoints = RunCheckpoints(workdir / "checkpoints", method.state())
    for step, shift in ((10, 0.0), (20, 0.4)):
        method.shift_output(shift)
        checkpoints.save(step)
    fresh = Run()
    monkeypatch.setattr(evaluate, "method_of_run", lambda path: (fresh, {}))
    return workdir, fresh


def test_each_checkpoint_becomes_a_point_of_the_curves(run, folders, call: Call) -> None:
    workdir, method = run
    (folders["photos"] / "4.bmp").write_bytes(b"no picture")
    arguments = (f"--workdir={workdir}", *flags_of(folders, "reference", "photos"), RANDOM)
    outcome = call(evaluate, *arguments, "--metrics=kid,content")
    assert outcome.status == 1  # for the broken photo, which is named at the first step only
    assert outcome.err.count("4.bmp") == 1, outcome.err
    assert "step 10\n" in outcome.out
    curves = drawn(workdir)
    kid = "evaluation/kid_inceptionv3_keras_299_antialias_to_"
    content = "evaluation/content_cosine_vgg19_block3_conv4_720_to_photos"
    assert [(tag, step) for tag, step, _ in curves] == [
        *((content, step) for step in (10, 20)),
        *((f"{kid}photos", step) for step in (10, 20)),
        *((f"{kid}reference", step) for step in (10, 20)),
    ]
    assert curves[0][2] != curves[1][2]

    # The last point once more: what a user's own export of that step makes of the photos.
    method.export(workdir / "again")
    cartoonize = Cartoonizer.load(workdir / "again")
    photos = [read_rgb(path) for path in sorted(folders["photos"].iterdir())[:4]]
    reference = [read_rgb(path) for path in sorted(folders["reference"].iterdir())]
    features = {
        "generated": Colours("")([cartoonize(photo) for photo in photos]),
        "reference": Colours("")(reference),
    }
    assert curves[-1][2] == pytest.approx(metrics.kid(features)[0].value, rel=1e-6)


def test_what_is_drawn_is_not_drawn_again(run, folders, tiny_model, call: Call) -> None:
    workdir, method = run
    method.ready_made = tiny_model
    arguments = (f"--workdir={workdir}", *flags_of(folders, "reference", "photos"))
    assert call(evaluate, *arguments, "--metrics=flatness").status == 0
    first = drawn(workdir)
    assert method.exports == 2
    again = call(evaluate, *arguments, "--metrics=flatness")
    assert again.status == 0
    assert again.out.count("nothing new to measure") == 2
    assert method.exports == 2
    assert drawn(workdir) == first
    # A metric that is new, and a step that is new, are.
    assert call(evaluate, *arguments, "--metrics=flatness,fid").status == 0
    RunCheckpoints(workdir / "checkpoints", method.state()).save(30)
    assert call(evaluate, *arguments, "--metrics=flatness,fid").status == 0
    assert len(set(drawn(workdir))) == len(drawn(workdir)) == 3 * 4
    lines = (workdir / "evaluation.jsonl").read_text().splitlines()
    assert [(json.loads(line)["step"], json.loads(line)["metrics"]) for line in lines] == [
        (10, ["flatness"]),
        (20, ["flatness"]),
        (10, ["fid"]),
        (20, ["fid"]),
        (30, ["flatness", "fid"]),
    ]


def test_photos_that_cannot_be_drawn_are_told_apart(run, folders, call, monkeypatch) -> None:
    workdir, method = run
    arguments = (f"--workdir={workdir}", *flags_of(folders, "reference", "photos"))

    def fails(self, images, **options):
        raise MemoryError("too little of it")

    monkeypatch.setattr(method, "export", lambda directory: None)
    monkeypatch.setattr(Cartoonizer, "load", lambda path: Cartoonizer(fails, metadata={}))
    monkeypatch.setattr(Cartoonizer, "__call__", fails)
    outcome = call(evaluate, *arguments, "--metrics=flatness")
    assert outcome.status == 1
    assert outcome.err.count("too little of it") >= 5
    assert f"{folders['photos']}: none of its pictures could be drawn" in outcome.err
    for path in folders["photos"].iterdir():
        path.write_bytes(b"no picture")
    outcome = call(evaluate, *arguments, "--metrics=flatness")
    assert outcome.status == 1
    assert f"{folders['photos']}: none of its pictures can be read" in outcome.err
    assert not (workdir / "evaluation.jsonl").exists()


def test_other_photos_would_break_the_curves(run, folders, call: Call) -> None:
    workdir, method = run
    before = {"photos": {"folder": "others", "count": 5}}
    RunCurves(workdir, before).add(10, ["flatness"], [], details={})
    arguments = (f"--workdir={workdir}", *flags_of(folders, "reference", "photos"))
    outcome = call(evaluate, *arguments, "--metrics=flatness")
    assert outcome.status == 2
    assert "has figures on other pictures" in outcome.err
    assert method.exports == 0


def test_a_run_without_checkpoints_and_no_run_at_all(folders, tmp_path, call, monkeypatch) -> None:
    arguments = (f"--workdir={tmp_path / 'w'}", *flags_of(folders, "reference", "photos"))
    monkeypatch.setattr(evaluate, "method_of_run", lambda path: (Run(), {}))
    outcome = call(evaluate, *arguments, "--metrics=flatness")
    assert outcome.status == 1
    assert "no checkpoint yet" in outcome.err

    def no_run(path):
        raise RunNotFoundError("no training run there")

    monkeypatch.setattr(evaluate, "method_of_run", no_run)
    outcome = call(evaluate, *arguments, "--metrics=flatness")
    assert outcome.status == 2
    assert "--workdir: no training run there" in outcome.err
