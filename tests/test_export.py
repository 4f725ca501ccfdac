from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf import export
from wbc_tf.artefact.exported import load_generator
from wbc_tf.artefact.model_directory import read_metadata
from wbc_tf.files.pictures import decode_photo, encode_image, write_image
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.methods import registry
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.serving.sample_photo import sample_photo

Call = Callable[..., Any]

# The check at export takes a photo above the working resolution; at 720 it would be large.
SMALL = "--short_side=64"


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_versions_are_complete_and_count_up(
    tiny_model: Path, exported: Path, tmp_path: Path, call: Call
) -> None:
    shutil.copytree(exported.parent, tmp_path / "tiny")
    written = files_below(tmp_path / "tiny" / "1")
    assert {
        "saved_model.pb",
        "variables/variables.index",
        "assets.extra/model.json",
        "assets.extra/tf_serving_warmup_requests",
    } <= set(written)
    (tmp_path / "tiny" / "7").mkdir()
    arguments = (f"--model={tiny_model}", f"--output={tmp_path}", SMALL)
    settings = ("--encoding=jpeg", "--quality=80", "--output_size=working")
    second = call(export, *arguments, *settings, "--licence=CC BY 4.0")
    assert second.status == 0, second.err
    assert "Licence: CC BY 4.0" in second.out
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == ["1", "7", "8"]
    assert files_below(tmp_path / "tiny" / "1") == written, "versions are never touched again"
    assert read_metadata(tmp_path / "tiny" / "8")["licence"] == "CC BY 4.0"
    assert read_metadata(tmp_path / "tiny" / "8")["serving"] == {
        "short_side": 64,
        "output_size": "working",
        "encoding": "jpeg",
        "quality": 80,
        "match_brightness": False,
    }
    for part in (tmp_path / "tiny" / "1", tmp_path / "tiny" / "1" / "variables"):
        assert part.stat().st_mode & 0o755 == 0o755, "the server is another user"


def test_what_is_known_of_the_model_goes_along(tiny_model: Path, exported: Path) -> None:
    before, after = read_metadata(tiny_model / "1"), read_metadata(exported)
    for field in ("method", "generator", "licence", "origin"):
        assert after[field] == before[field]
    assert after["serving"]["short_side"] == 96


def test_the_artefact_is_one_and_the_same(tiny_model: Path, exported: Path) -> None:
    photo = sample_photo(30, 41)
    expected = Cartoonizer.load(tiny_model)(photo)
    np.testing.assert_array_equal(Cartoonizer.load(exported)(photo), expected)
    ours = load_generator(EXPORTED, exported).get_weights()
    for weight, before in zip(ours, load_generator(EXPORTED, tiny_model).get_weights()):
        np.testing.assert_array_equal(weight, before)


def test_above_the_tolerance_nothing_is_written(
    tiny_model: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(*arguments: Any) -> tuple[tf.Tensor, tf.Tensor]:
        scale, offset = EXPORTED.coefficients(*arguments)
        # In a graph it is another function than eagerly, as a bug in either would make it.
        return (scale, offset) if tf.executing_eagerly() else (scale, offset + 0.01)

    broken = dataclasses.replace(EXPORTED, coefficients=other)
    spec = dataclasses.replace(registry.METHODS["white_box"], exported=lambda: broken)
    monkeypatch.setitem(registry.METHODS, "white_box", spec)
    outcome = call(export, f"--model={tiny_model}", f"--output={tmp_path}", SMALL)
    assert outcome.status == 1
    assert "predict_float differs from the network by 0.01" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_without_the_serving_extra_nothing_is_written(
    tiny_model: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    outcome = call(export, f"--model={tiny_model}", f"--output={tmp_path}", SMALL)
    assert outcome.status == 1
    assert "pip install 'wbc_tf[serving]'" in outcome.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"config": {"seed": -1}}, "cannot be set up again"),
        ({"config": {"flavour": 1}}, "cannot be set up again"),
        ({"method": "nobody"}, "no method 'nobody'"),
        ({}, "no checkpoint yet"),
    ],
)
def test_a_run_that_cannot_be_exported(
    run_folder: Path, tmp_path: Path, call: Call, changed: dict[str, Any], message: str
) -> None:
    document = json.loads((run_folder / "config.json").read_text())
    config = {**document["config"], **changed.get("config", {})}
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text(json.dumps({**document, **changed, "config": config}))
    outcome = call(export, f"--workdir={run}", f"--output={tmp_path / 'out'}")
    assert outcome.status == 1
    assert message in outcome.err
    assert not (tmp_path / "out").exists()


def test_tflite_stands_where_no_server_looks(tiny_model: Path, tmp_path: Path, call: Call) -> None:
    arguments = (f"--model={tiny_model}", f"--output={tmp_path}", "--format=tflite")
    outcome = call(export, *arguments, "--size=32x48")
    assert outcome.status == 0, outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["tiny-tflite"]
    assert "| int8 |" in outcome.out
    content = (tmp_path / "tiny-tflite" / "1" / "int8.tflite").read_bytes()
    (details,) = tf.lite.Interpreter(model_content=content).get_input_details()
    assert details["shape"].tolist() == [1, 32, 48, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--output=o",), "either --model or --workdir"),
        (("--model=m", "--workdir=w", "--output=o"), "either --model or --workdir"),
        (("--model=m",), "--output is missing"),
        (("--model=nobody", "--output=o"), "no model 'nobody'"),
        (("--workdir=nowhere", "--output=o"), "no training run"),
        (("--model=m", "--output=o", "--quality=0"), "quality"),
        (("--model=m", "--output=o", "--encoding=webp"), "encoding"),
        (("--model=m", "--output=o", "--name=a/b"), "--name=a/b"),
        (("--model=m", "--output=o", "--name=.."), "--name=.."),
        (("--model=m", "--output=o", "--size=0x9"), "--size"),
    ],
)
def test_calls_that_make_no_sense(
    arguments: tuple[str, ...], message: str, tmp_path: Path, call: Call, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = call(export, *arguments)
    assert outcome.status == 2
    assert message in outcome.err
    assert list(tmp_path.iterdir()) == []


# The contract with TensorFlow Serving, as far as it can be had without the server.

_NO_PYTHON_OF_OURS = """
import sys
for name in ("wbc_tf", "cv2", "PIL", "skimage", "tensorflow_addons", "tensorflow_serving", "tqdm"):
    sys.modules[name] = None  # importing it raises
version, photo, answer = sys.argv[1:]
import tensorflow as tf
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    loaded = tf.compat.v1.saved_model.load(session, ["serve"], version)
    signature = loaded.signature_def["serving_default"]
    image = open(photo, "rb").read()
    feed = {
        signature.inputs[name].name: tf.make_ndarray(value)
        for name, value in signature.defaults.items()
    }
    assert sorted(signature.defaults) == ["delta", "strength"], "the server fills these in"
    feed[signature.inputs["image_bytes"].name] = [image, image]
    first, second = session.run(signature.outputs["cartoon_bytes"].name, feed)
    assert first == second
    open(answer, "wb").write(first)
    called = {node.op for node in session.graph.as_graph_def().node}
    for function in session.graph.as_graph_def().library.function:
        called |= {node.op for node in function.node_def}
    assert not [op for op in called if "PyFunc" in op or "NumpyFunction" in op], called
"""


def run_python(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_contract_a_plain_session_and_no_python_of_ours(exported: Path, tmp_path: Path) -> None:
    photo = sample_photo(110, 131)
    write_image(tmp_path / "photo.png", photo)
    arguments = (exported, tmp_path / "photo.png", tmp_path / "answer.png")
    done = run_python("-I", "-c", _NO_PYTHON_OF_OURS, *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    cartoon = decode_photo((tmp_path / "answer.png").read_bytes(), name="answer").rgb
    expected = Cartoonizer.load(exported)(photo, short_side=96)
    assert np.abs(cartoon.astype(int) - expected).max() <= 1


def test_contract_saved_model_cli(exported: Path, tmp_path: Path) -> None:
    cli = "tensorflow.python.tools.saved_model_cli"
    photo = sample_photo(20, 27)
    # NumPy drops zeros at the end of its strings; a PNG never ends in one.
    np.save(tmp_path / "photo.npy", np.array([encode_image(photo, file_format="PNG")]))
    ran = run_python(
        *("-m", cli, "run", "--dir", exported, "--tag_set", "serve"),
        *("--signature_def", "serving_default", "--inputs", "image_bytes=photo.npy"),
        *("--outdir", tmp_path),
        folder=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    (answer,) = np.load(tmp_path / "cartoon_bytes.npy", allow_pickle=True)
    cartoon = decode_photo(bytes(answer), name="answer").rgb
    expected = Cartoonizer.load(exported)(photo)
    assert np.abs(cartoon.astype(int) - expected).max() <= 1
