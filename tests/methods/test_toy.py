"""A new method goes through every command by its line in the registry, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests import toy
from tests.toy.method import EXPORTED
from wbc_tf import cartoonize, evaluate, export, train
from wbc_tf.artefact.exported import load_generator
from wbc_tf.artefact.model_directory import load_signatures, read_metadata
from wbc_tf.files.pictures import read_rgb, write_image
from wbc_tf.images import to_float, to_uint8
from wbc_tf.inference.cartoonizer import Cartoonizer, MemoryBudgetError
from wbc_tf.methods.registry import METHODS
from wbc_tf.serving.sample_photo import sample_photo
from wbc_tf.serving.tflite import run_tflite


def _losses(workdir: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (workdir / "losses.jsonl").read_text().splitlines()]


def test_a_toy_trains_resumes_exports_serves_and_cartoonizes(
    call: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "toy", toy.SPEC)
    for kind in ("photo", "cartoon"):
        (tmp_path / kind).mkdir()
        for number, size in enumerate([(40, 61), (52, 38)]):
            write_image(tmp_path / kind / f"{number}.png", sample_photo(*size))

    def command(module: object, *arguments: object) -> str:
        outcome = call(module, *arguments)
        assert outcome.status == 0, outcome.err
        return outcome.out

    def trained(name: str, steps: int) -> Path:
        folders = [f"--{kind}_dir={tmp_path / kind}" for kind in ("photo", "cartoon")]
        settings = ["--patch_size=32", "--batch_size=2", "--pretrain_steps=2", f"--steps={steps}"]
        command(train, "--method=toy", f"--workdir={tmp_path / name}", *folders, *settings)
        return tmp_path / name

    unbroken = trained("unbroken", 3)
    trained("broken", 1)
    for ours, theirs in zip(_losses(trained("broken", 3)), _losses(unbroken)):
        assert ours.keys() == theirs.keys()
        assert ours["generator_loss"] == pytest.approx(theirs["generator_loss"], rel=1e-4)
    assert len(_losses(unbroken)) == 5

    # The run's model draws what its Keras generator draws, whatever the size.
    model = unbroken / "model"
    generator = load_generator(EXPORTED, model)
    cartoonizer = Cartoonizer.load(model, memory_budget=1)
    for size in [(1, 1), (31, 45)]:
        photo = sample_photo(*size)
        expected = to_uint8(generator(to_float(photo[None])).numpy())[0]
        assert np.abs(cartoonizer(photo).astype(int) - expected).max() <= 1
        np.testing.assert_array_equal(cartoonizer(photo, strength=0.0), photo)
    # 200 x 200 pixels of 100 bytes are more than a megabyte; the network cannot be cut into tiles.
    with pytest.raises(MemoryBudgetError, match="Choose a smaller --short_side"):
        cartoonizer(sample_photo(200, 200), short_side=0)
    assert cartoonizer(sample_photo(200, 200)).shape == (200, 200, 3)

    command(export, f"--workdir={unbroken}", f"--output={tmp_path / 'server'}")
    version = tmp_path / "server" / "unbroken" / "1"
    assert read_metadata(version)["reach"] == "whole"
    photo = to_float(sample_photo(24, 32)[None])
    predict = load_signatures(version)["predict_float"]
    half = predict(photo=tf.constant(photo), strength=tf.constant(0.5))["cartoon"]
    cartoon = generator(photo).numpy()
    np.testing.assert_allclose(half, (photo + cartoon) / 2, atol=1e-5)

    lite = [f"--workdir={unbroken}", "--format=tflite", "--size=24x32"]
    command(export, *lite, f"--output={tmp_path / 'phone'}")
    content = (tmp_path / "phone" / "unbroken-tflite" / "1" / "float32.tflite").read_bytes()
    np.testing.assert_allclose(run_tflite(content, photo), cartoon, atol=1e-4)

    drawn = tmp_path / "drawn"
    command(cartoonize, f"--model={model}", f"--input={tmp_path / 'photo'}", f"--output={drawn}")
    assert read_rgb(drawn / "0.png").shape == (40, 61, 3)
    folders = [f"--photos={tmp_path / 'photo'}", f"--reference={tmp_path / 'cartoon'}"]
    command(evaluate, f"--workdir={unbroken}", *folders, "--metrics=flatness")
    assert (unbroken / "evaluation.jsonl").is_file()
