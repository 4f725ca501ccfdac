from __future__ import annotations

from pathlib import Path

import pytest

from wbc_tf.evaluation.config import METRICS, EvaluationConfig, EvaluationError


def _config(**given: object) -> EvaluationConfig:
    return EvaluationConfig(
        **{"generated": None, "workdir": None, "reference": None, "photos": None} | given
    )


def test_folders_are_read_and_metrics_come_once(picture_folders: dict[str, str]) -> None:
    config = _config(**picture_folders)
    assert {label: len(folder.files) for label, folder in config.folders.items()} == {
        "generated": 5,
        "reference": 5,
        "photos": 5,
    }
    assert config.wanted == METRICS
    assert _config(**picture_folders, metrics=("kid", "fid", "kid")).wanted == ("kid", "fid")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "either --generated or --workdir"),
        ({"generated": "g", "workdir": "w"}, "either --generated or --workdir"),
        ({"generated": "g"}, "--reference is missing"),
        ({"workdir": "w", "reference": "r"}, "--photos is missing"),
        (
            {"generated": "nowhere", "reference": "r"},
            "--generated: nowhere: there is no",
        ),
        ({"generated": ".", "reference": "."}, "--generated: .: no pictures in it"),
        (
            {"generated": "g", "reference": "r", "metrics": ("fid", "beauty")},
            "choose from fid, kid,",
        ),
        ({"generated": "g", "reference": "r", "metrics": ("content",)}, "give --photos"),
        ({"generated": "g", "reference": "r", "json": "no/f.json"}, "no such folder to write to"),
        ({"workdir": "w", "reference": "r", "photos": "p", "json": "f"}, "evaluation.jsonl"),
    ],
)
def test_requests_that_make_no_sense(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EvaluationError) as raised:
        _config(**given)
    assert message in str(raised.value)


def test_no_input_is_overwritten(picture_folders: dict[str, str], tmp_path: Path) -> None:
    photo = next(Path(picture_folders["photos"]).iterdir())
    (tmp_path / "link.json").symlink_to(photo)
    with pytest.raises(EvaluationError, match=r"--json=.*link\.json would overwrite an input"):
        _config(**picture_folders, json=str(tmp_path / "link.json"))
