from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from wbc_tf import demo
from wbc_tf.artefact.model_directory import find_model
from wbc_tf.files.pictures import read_rgb
from wbc_tf.inference.cartoonizer import Cartoonizer

NAMES = ["astronaut", "cat", "coffee", "rocket"]


def test_four_photos_become_four_cartoons_and_a_sheet(
    call: Callable, tiny_model: Path, tmp_path: Path
) -> None:
    output = tmp_path / "demo"
    (output / "cartoons").mkdir(parents=True)
    (output / "cartoons" / "cat.png").write_bytes(b"of another model, replaced")
    outcome = call(demo, f"--output={output}", f"--model={tiny_model}")
    assert outcome.status == 0
    sheet = output / "contact_sheet.png"
    assert outcome.out == f"4 cartoons in {output / 'cartoons'}; before and after: {sheet}\n"
    for folder in ("photos", "cartoons"):
        assert sorted(os.listdir(output / folder)) == [f"{name}.png" for name in NAMES]
    photo = read_rgb(output / "photos" / "cat.png")
    np.testing.assert_array_equal(photo, data.chelsea())
    np.testing.assert_array_equal(
        read_rgb(output / "cartoons" / "cat.png"), Cartoonizer.load(tiny_model)(photo)
    )
    assert read_rgb(sheet).shape[0] > 4 * 500, "four rows, large enough for thin lines"
    sheet.unlink()

    elsewhere = tmp_path / "gallery.jpg"
    again = call(demo, f"--output={output}", f"--sheet={elsewhere}", f"--model={tiny_model}")
    assert again.status == 0
    assert read_rgb(elsewhere).shape[0] > 4 * 500
    assert not sheet.exists()


def test_a_model_that_is_not_there_is_a_usage_error(call: Callable, tmp_path: Path) -> None:
    outcome = call(demo, f"--output={tmp_path / 'demo'}", "--model=nowhere")
    assert outcome.status == 2
    assert "no model 'nowhere'" in outcome.err
    assert not (tmp_path / "demo").exists()


def test_without_flags_it_is_the_embedded_model(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    default = demo.define_flags()["model"].default
    assert root / "pretrained_models" in find_model(default).parents
