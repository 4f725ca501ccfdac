from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.evaluation.conftest import Colours
from wbc_tf.evaluation import config as config_module
from wbc_tf.evaluation import metrics
from wbc_tf.evaluation.config import EvaluationConfig
from wbc_tf.evaluation.folder import measure_folder
from wbc_tf.evaluation.pictures import NoPicturesError
from wbc_tf.files.pictures import read_rgb

TWO = ("generated", "reference")


def _config(folders: dict[str, str], *metrics: str, json: Path | None = None) -> EvaluationConfig:
    given = {label: folders.get(label) for label in ("generated", "reference", "photos")}
    return EvaluationConfig(
        workdir=None,
        **given,
        metrics=metrics or None,
        vgg_weights="random",
        json=None if json is None else str(json),
    )


def test_a_table_for_people_and_a_file_for_programs(
    picture_folders: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "figures.json"
    config = _config(picture_folders, "fid", "kid", "flatness", "content", json=record)
    assert measure_folder(config)
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["metric", "of", "to", "value", "95%", "interval"]
    assert len({row.index(" generated ") for row in table if " generated " in row}) == 1
    document = json.loads(record.read_text())
    told = [(f["metric"], f["of"], f.get("to")) for f in document["figures"]]
    assert told[0] == ("fid_inceptionv3_keras_299_antialias", "generated", "reference")
    assert ("content_cosine_vgg19_block3_conv4_720", "generated", "photos") in told
    assert len(told) == len(table) - 1 == 3 + 3 + 6 + 1
    assert document["not_measured"] == {}
    assert document["not_paired"] == []
    assert document["pictures"]["photos"] == {
        "folder": picture_folders["photos"],
        "count": 5,
        "broken": 0,
        "smallest": [33, 24],
        "largest": [33, 28],
    }
    assert {"versions", "commit"} < document.keys()
    assert document["inception_weights_md5"] == "0" * 32
    assert document["vgg_weights"] == "random"


def test_figures_are_those_of_the_pictures(picture_folders: dict[str, str], tmp_path: Path) -> None:
    two = {label: picture_folders[label] for label in TWO}
    assert measure_folder(_config(two, "fid", "flatness", json=tmp_path / "f.json"))
    figures = json.loads((tmp_path / "f.json").read_text())["figures"]
    features = {
        label: Colours("")([read_rgb(path) for path in sorted(Path(two[label]).iterdir())])
        for label in TWO
    }
    assert figures[0]["value"] == pytest.approx(metrics.fid(features)[0].value, rel=1e-9)
    assert [(f["metric"], f["of"]) for f in figures[1:]] == [
        ("flat_share_sobel_4", "generated"),
        ("flat_share_sobel_4", "reference"),
        ("edge_strength_sobel_p99", "generated"),
        ("edge_strength_sobel_p99", "reference"),
    ]


def test_content_without_photos_is_left_out_but_not_in_silence(
    picture_folders: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    two = {label: picture_folders[label] for label in TWO}
    monkeypatch.setattr(config_module, "METRICS", ("flatness", "content"))
    assert measure_folder(_config(two, json=tmp_path / "f.json"))
    assert capsys.readouterr().out.splitlines()[-1].split() == ["content", "not", "measured"]
    document = json.loads((tmp_path / "f.json").read_text())
    assert document["not_measured"] == {"content": "--photos is not given"}


def test_broken_and_unpaired_pictures_are_named(
    picture_folders: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generated, photos = (Path(picture_folders[label]) for label in ("generated", "photos"))
    (generated / "1.png").write_bytes(b"no picture")
    (photos / "2.bmp").unlink()
    config = _config(picture_folders, "flatness", "content", json=tmp_path / "f.json")
    assert not measure_folder(config)
    told = capsys.readouterr().err
    assert told.count(f"failed: {generated / '1.png'}: ") == 1
    assert f"not compared in content: 1: not in {generated}" in told
    assert f"not compared in content: 2: not in {photos}" in told
    assert "1 broken pictures were left out" in told
    document = json.loads((tmp_path / "f.json").read_text())
    assert document["pictures"]["generated"]["broken"] == 1
    assert len(document["not_paired"]) == 2
    assert document["figures"][-1]["metric"].startswith("content")


def test_a_folder_of_broken_pictures_only(picture_folders: dict[str, str]) -> None:
    for path in Path(picture_folders["generated"]).iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(NoPicturesError, match="none of its pictures can be read"):
        measure_folder(_config(picture_folders, "flatness"))
