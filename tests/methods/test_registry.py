from __future__ import annotations

import dataclasses

import pytest

from wbc_tf.methods.registry import METHODS, method_module, serving_module


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
