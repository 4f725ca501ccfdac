from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from wbc_tf import train
from wbc_tf.methods.animegan_v2.config import AnimeGanV2Config


def test_presets_are_the_authors_recipes() -> None:
    """Weights in the order content, style, colour, tv; anime, generated, grey, smooth."""
    presets = AnimeGanV2Config.presets()
    expected = {
        "animegan_v2_hayao": (1.5, 2.5, 10, 1, 1.2, 1.2, 1.2, 0.8),
        "animegan_v2_shinkai": (1.2, 2.0, 10, 1, 1.7, 1.7, 1.7, 1.0),
        "animegan_v2_paprika": (1.5, 0.6, 50, 1, 1, 1, 1, 0.005),
    }
    for name, weights in expected.items():
        config = presets[name]
        found = [
            getattr(config, f"{term}_weight")
            for term in ("content", "style", "color", "tv", "anime", "generated", "gray", "smooth")
        ]
        assert tuple(found) == weights, name
        assert config.adversarial_weight == 300
        assert (config.batch_size, config.patch_size, config.vgg_layer) == (12, 256, "block4_conv4")
        assert (config.beta_1, config.beta_2) == (0.5, 0.999)
        assert config.generator_settings() == {"network": "full"}
    assert presets["animegan_v2"] == presets["animegan_v2_hayao"]
    # 10 epochs of 554 steps, then up to epoch 99, 53 and 54, counted from 0.
    assert [presets[name].pretrain_steps for name in expected] == [5540] * 3
    assert [presets[name].steps for name in expected] == [90 * 554, 44 * 554, 45 * 554]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"generator": "huge"}, "generator is 'huge', and must be one of full, lite"),
        ({"generator": "lite", "patch_size": 36}, "patch_size is 36, .* multiple of 8"),
        ({"content_weight": 0.0}, "content_weight is 0, .* no other term"),
        ({"smooth_weight": -1.0}, "smooth_weight is -1.0"),
    ],
)
def test_impossible_settings_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AnimeGanV2Config(**changes)


def test_a_config_is_made_again_from_its_json() -> None:
    config = dataclasses.replace(AnimeGanV2Config.presets()["animegan_v2_paprika"], seed=3)
    assert AnimeGanV2Config.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    "name", ["animegan_v2_hayao.cfg", "animegan_v2_shinkai.cfg", "animegan_v2_paprika.cfg"]
)
def test_each_flag_file_is_its_preset(root: Path, call: Callable, name: str) -> None:
    outcome = call(train, f"--flagfile={root / 'configs' / name}", "--dry_run")
    assert outcome.status == 0, outcome.err
    shown = json.loads(outcome.out)
    assert shown["method"] == "animegan_v2"
    preset = AnimeGanV2Config.presets()[name.split(".")[0]]
    assert AnimeGanV2Config.from_json(json.dumps(shown["config"])) == preset


def test_the_short_run_is_hayaos_made_small(root: Path, call: Callable) -> None:
    path = root / "configs" / "animegan_v2_short.cfg"
    outcome = call(train, f"--flagfile={path}", "--dry_run")
    assert outcome.status == 0, outcome.err
    config = AnimeGanV2Config.from_json(json.dumps(json.loads(outcome.out)["config"]))
    hayao = AnimeGanV2Config.presets()["animegan_v2_hayao"]
    assert config.generator_settings() == {"network": "lite"}
    for weight in ("adversarial", "anime", "generated", "gray", "smooth"):
        assert getattr(config, f"{weight}_weight") == getattr(hayao, f"{weight}_weight")
