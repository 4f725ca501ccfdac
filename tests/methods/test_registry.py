from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import pytest

from wbc_tf.methods import registry
from wbc_tf.methods.registry import (
    METHODS,
    RunError,
    RunNotFoundError,
    method_module,
    method_of_run,
    serving_module,
)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_offers_what_training_asks_for(name: str) -> None:
    module = method_module(name)
    assert dataclasses.is_dataclass(module.Config)
    assert name in module.Config.presets()
    assert callable(module.build)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_offers_what_export_asks_for(name: str) -> None:
    module = serving_module(name)
    assert name == module.METHOD
    for function in ("load_generator", "coefficients", "save"):
        assert callable(getattr(module, function))


@pytest.mark.parametrize("lookup", [method_module, serving_module])
def test_an_unknown_name_lists_the_known_ones(lookup) -> None:
    with pytest.raises(ValueError, match=r"no method 'nobody'; there is .*white_box"):
        lookup("nobody")


def test_a_runs_method_is_set_up_as_recorded(tmp_path, monkeypatch) -> None:
    module = SimpleNamespace(Config=dict, build=lambda config: ("built", config))
    monkeypatch.setattr(registry, "method_module", {"tiny": module}.__getitem__)
    document = {"method": "tiny", "config": {"seed": 3}, "commit": "0123abc"}
    (tmp_path / "config.json").write_text(json.dumps(document))
    assert method_of_run(tmp_path) == (("built", {"seed": 3}), document)


def test_a_folder_without_a_run_is_said(tmp_path) -> None:
    with pytest.raises(RunNotFoundError, match=f"{tmp_path}: no training run"):
        method_of_run(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "Expecting property name"),
        ('{"config": {}}', "method"),
        ('{"method": "nobody", "config": {}}', "no method 'nobody'"),
        ('{"method": "white_box", "config": {"seed": -1}}', "seed is -1"),
        ('{"method": "white_box", "config": {"flavour": 1}}', "flavour"),
    ],
)
def test_a_run_that_cannot_be_set_up_again(tmp_path, content, message) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(RunError, match=rf"config\.json: this run cannot .*{message}"):
        method_of_run(tmp_path)
