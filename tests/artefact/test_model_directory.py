from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact import model_directory
from wbc_tf.artefact.model_directory import (
    METADATA,
    ModelNotFoundError,
    find_model,
    load_weights,
    model_name,
    read_metadata,
    save_model,
)
from wbc_tf.artefact.weights import WeightsError

FACTS = {"method": "a test", "licence": "none", "origin": "here"}


def _network(units: int = 2, name: str = "dense") -> tf.keras.Model:
    return tf.keras.Sequential(
        [tf.keras.layers.Dense(units, input_shape=(3,), name=name)], name="network"
    )


def _save(directory: Path, network: tf.keras.Model) -> Path:
    spec = tf.TensorSpec([None, 3], name="x")
    function = tf.function(lambda x: {"y": network(x)}, input_signature=[spec])
    return save_model(directory, model=network, signatures={"predict": function}, metadata=FACTS)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


# Saving.


def test_versions_count_upward_and_older_ones_are_never_touched(tmp_path: Path) -> None:
    first = _save(tmp_path / "deep" / "m", _network())
    assert first == tmp_path / "deep" / "m" / "1"
    before = _files(first)
    assert {"saved_model.pb", METADATA.as_posix()} <= set(before)
    (tmp_path / "deep" / "m" / "9").mkdir()
    assert _save(tmp_path / "deep" / "m", _network()).name == "10"
    assert _files(first) == before
    assert sorted(os.listdir(tmp_path / "deep" / "m")) == ["1", "10", "9"]


def test_others_may_read_what_is_saved(tmp_path: Path) -> None:
    # The folder is made private while it fills; a server runs as another user.
    assert _save(tmp_path / "m", _network()).stat().st_mode & 0o777 == 0o755


def test_the_metadata_comes_back(tmp_path: Path) -> None:
    assert read_metadata(_save(tmp_path / "m", _network())) == FACTS


@pytest.mark.parametrize("field", ["method", "licence"])
def test_a_model_must_state_method_and_licence(tmp_path: Path, field: str) -> None:
    metadata = {key: value for key, value in FACTS.items() if key != field}
    with pytest.raises(ValueError, match=f"must state '{field}'"):
        save_model(tmp_path / "m", model=_network(), signatures={}, metadata=metadata)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failed_save_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    _save(tmp_path / "old", _network())
    before = _files(tmp_path)

    def stumble(module: object, path: str, **_: object) -> None:
        (Path(path) / "saved_model.pb").write_bytes(b"half a mod")
        raise error

    monkeypatch.setattr(tf.saved_model, "save", stumble)
    for name in ("old", "new"):
        with pytest.raises(type(error)):
            _save(tmp_path / name, _network())
    assert _files(tmp_path) == before
    assert os.listdir(tmp_path) == ["old"]
    assert os.listdir(tmp_path / "old") == ["1"]


# Finding.


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the models `embedded` (versions 2 and 10) and `single`, no version folders."""
    for name in ("embedded/2", "embedded/10", "single"):
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "saved_model.pb").touch()
    monkeypatch.setattr(model_directory, "MODEL_FOLDERS", (tmp_path / "none", tmp_path / "models"))
    return tmp_path / "models"


def test_a_bare_name_is_looked_up_and_its_highest_version_taken(models: Path) -> None:
    assert find_model("embedded") == models / "embedded" / "10"
    assert find_model("single") == models / "single"


def test_a_path_means_itself(models: Path) -> None:
    assert find_model(models / "embedded") == models / "embedded" / "10"
    assert find_model(models / "embedded" / "2") == models / "embedded" / "2"
    assert find_model(str(models / "single")) == models / "single"


def test_a_folder_here_goes_before_an_embedded_model(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work" / "embedded" / "1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    assert find_model("embedded") == Path("embedded", "1")


def test_a_version_is_called_by_its_model(models: Path) -> None:
    assert model_name(find_model("embedded")) == "embedded"
    assert model_name(find_model("single")) == "single"


@pytest.mark.parametrize("name", ["unknown", "some/where", "."])
def test_what_is_not_there_is_named_and_the_known_ones_are_listed(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFoundError) as error:
        find_model(name)
    assert f"'{name}'" in str(error.value)
    assert "embedded, single" in str(error.value)


def test_without_metadata_it_is_no_model_of_ours(models: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="not a model of this project"):
        read_metadata(models / "single")


# Loading weights.


def test_weights_come_back_and_draw_the_same(tmp_path: Path) -> None:
    network, again = _network(), _network()
    network.set_weights([np.arange(6.0).reshape(3, 2), np.array([5.0, -1.0])])
    version = _save(tmp_path / "m", network)
    load_weights(again, version)
    x = np.array([[1.0, 2.0, 3.0]], np.float32)
    np.testing.assert_allclose(again(x), [[0 + 4 + 12 + 5, 1 + 6 + 15 - 1]])
    loaded = tf.saved_model.load(str(version))
    np.testing.assert_allclose(loaded.signatures["predict"](x=tf.constant(x))["y"], again(x))


def test_differences_are_listed_by_name(tmp_path: Path) -> None:
    version = _save(tmp_path / "m", _network(2, "dense"))
    with pytest.raises(WeightsError, match=r"wrong shape: dense/kernel is \[3, 2\]"):
        load_weights(_network(4, "dense"), version)
    with pytest.raises(WeightsError) as error:
        load_weights(_network(2, "other"), version)
    for line in ("missing: other/kernel", "not expected: dense/bias", str(version)):
        assert line in str(error.value)


def test_somebody_elses_saved_model_is_refused(tmp_path: Path) -> None:
    tf.saved_model.save(tf.Module(), str(tmp_path / "m"))
    with pytest.raises(ModelNotFoundError, match="not one of this project"):
        load_weights(_network(), tmp_path / "m")
