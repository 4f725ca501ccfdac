from __future__ import annotations

import json
from pathlib import Path

import pytest
import tensorflow as tf

from wbc_tf.evaluation.curves import CurvesError, RunCurves
from wbc_tf.evaluation.figures import Figure

PICTURES = {"photos": {"folder": "p", "count": 4}, "reference": {"folder": "r", "count": 9}}


def points(workdir: Path) -> list[tuple[str, int, float]]:
    """(tag, step, value) of everything in a run's evaluation curves, as TensorBoard reads them."""
    found = []
    for path in sorted((workdir / "tensorboard" / "evaluation").iterdir()):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                found.append((value.tag, event.step, float(tf.make_ndarray(value.tensor))))
    return sorted(found)


def _figures(value):
    return [
        Figure("fid_x", "generated", "reference", value),
        Figure("fid_x", "photos", "reference", 99.0),
        Figure("flat", "generated", None, value / 10),
    ]


def test_figures_of_the_generated_pictures_become_curves(tmp_path):
    curves = RunCurves(tmp_path, PICTURES)
    curves.add(10, ["fid", "flat"], _figures(3.0), details={"commit": "abc"})
    curves.add(20, ["fid", "flat"], _figures(2.0), details={"commit": "abc"})
    assert points(tmp_path) == [
        ("evaluation/fid_x_to_reference", 10, 3.0),
        ("evaluation/fid_x_to_reference", 20, 2.0),
        ("evaluation/flat", 10, pytest.approx(0.3)),
        ("evaluation/flat", 20, pytest.approx(0.2)),
    ]
    lines = (tmp_path / "evaluation.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    assert (first["step"], first["metrics"], first["commit"]) == (10, ["fid", "flat"], "abc")
    assert first["figures"][1] == {
        "metric": "fid_x",
        "of": "photos",
        "to": "reference",
        "value": 99.0,
    }
    assert [json.loads(line)["step"] for line in lines] == [10, 20]


def test_what_was_measured_is_remembered_from_call_to_call(tmp_path):
    RunCurves(tmp_path, PICTURES).add(10, ["fid"], _figures(3.0), details={})
    again = RunCurves(tmp_path, PICTURES)
    assert again.to_measure(10, ["fid", "flat"]) == ["flat"]
    assert again.to_measure(20, ["fid", "flat"]) == ["fid", "flat"]
    again.add(10, ["flat"], [], details={})
    assert again.to_measure(10, ["fid", "flat"]) == []
    assert RunCurves(tmp_path, PICTURES).to_measure(10, ["fid", "flat"]) == []


def test_other_pictures_are_refused_before_anything_is_written(tmp_path):
    RunCurves(tmp_path, PICTURES).add(10, ["fid"], _figures(3.0), details={})
    before = points(tmp_path)
    others = {**PICTURES, "photos": {"folder": "p", "count": 5}}
    with pytest.raises(CurvesError, match=r"evaluation\.jsonl has figures on other"):
        RunCurves(tmp_path, others)
    assert points(tmp_path) == before


@pytest.mark.parametrize("line", ["{", "[]", '{"step": 3}'])
def test_a_damaged_record_is_named(tmp_path, line):
    (tmp_path / "evaluation.jsonl").write_text(line)
    with pytest.raises(CurvesError, match=r"evaluation\.jsonl is damaged"):
        RunCurves(tmp_path, PICTURES)
