from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from wbc_tf import cartoonize
from wbc_tf.files.pictures import read_rgb
from wbc_tf.inference import precision as module
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.precision import (
    PRECISIONS,
    PrecisionError,
    in_precision,
    resolve_precision,
)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Pretends to be another machine, by its CPU's flags or its GPU's compute capability."""

    def pretend(*, cpu: str | None = "fpu", gpu: tuple[int, int] | None = None) -> None:
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
        if cpu is not None:
            (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {cpu}\nbugs\t: none\n")
        monkeypatch.setattr(module, "_CPU_INFO", tmp_path / "cpuinfo")
        devices = [] if gpu is None else [tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")]
        for name in ("list_logical_devices", "list_physical_devices"):
            monkeypatch.setattr(tf.config, name, lambda kind: devices)
        details = {"device_name": "Card", "compute_capability": gpu}
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)

    return pretend


@pytest.mark.parametrize(
    ("hardware", "best", "missing"),
    [
        ({}, "float32", {"bfloat16": "avx512_bf16", "float16": "needs a GPU"}),
        ({"cpu": "fpu avx512_bf16"}, "bfloat16", {"float16": "needs a GPU"}),
        ({"cpu": "amx_bf16 fpu"}, "bfloat16", {"float16": "needs a GPU"}),
        ({"cpu": None}, "float32", {"bfloat16": "avx512_bf16", "float16": "needs a GPU"}),
        ({"gpu": (7, 0), "cpu": "amx_bf16"}, "float16", {"bfloat16": "it is for CPUs"}),
        ({"gpu": (6, 1)}, "float32", {"bfloat16": "it is for CPUs", "float16": "Card has no"}),
    ],
)
def test_what_a_machine_has(
    machine: Callable, hardware: dict[str, Any], best: str, missing: dict[str, str]
) -> None:
    machine(**hardware)
    assert resolve_precision("float32") == "float32"
    assert resolve_precision("auto") == best
    for name in ("bfloat16", "float16"):
        if name in missing:
            with pytest.raises(PrecisionError, match=missing[name]) as error:
                resolve_precision(name)
            assert f"There is float32{'' if best == 'float32' else ', ' + best}." in str(
                error.value
            )
        else:
            assert resolve_precision(name) == name


def test_without_onednn_there_is_no_bfloat16(
    machine: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(cpu="avx512_bf16")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert resolve_precision("auto") == "float32"
    with pytest.raises(PrecisionError, match="TF_ENABLE_ONEDNN_OPTS"):
        resolve_precision("bfloat16")


def test_unknown_ones_are_refused() -> None:
    with pytest.raises(ValueError, match="one of float32, bfloat16, float16, auto, not 'int8'"):
        resolve_precision("int8")


def test_a_model_is_not_loaded_in_another_precision_than_asked(
    machine: Callable, tiny_model: Path
) -> None:
    machine(cpu="fpu")
    with pytest.raises(PrecisionError):
        Cartoonizer.load(tiny_model, precision="bfloat16")
    assert in_precision(resolve_precision, "float32") is resolve_precision


def test_the_command_offers_them_and_says_what_is_missing(
    machine: Callable, call: Callable, tiny_model: Path, tmp_path: Path
) -> None:
    # The flag's list is written out there, because this module waits for TensorFlow.
    assert tuple(cartoonize.define_flags()["precision"].parser.enum_values) == PRECISIONS
    machine(cpu="fpu")
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.png")
    arguments = [f"--input={tmp_path / 'photo.png'}", f"--output={tmp_path / 'out'}"]
    outcome = call(cartoonize, *arguments, f"--model={tiny_model}", "--precision=bfloat16")
    assert outcome.status == 2
    assert "precision bfloat16 is not available here" in outcome.err
    outcome = call(cartoonize, *arguments, f"--model={tiny_model}", "--memory_budget=1")
    assert outcome.status == 2
    assert "memory budget of 1 MB is too small" in outcome.err
    assert not (tmp_path / "out").exists()


# On the hardware itself.


@pytest.fixture
def bfloat16() -> None:
    try:
        resolve_precision("bfloat16")
    except PrecisionError as error:
        pytest.skip(str(error))


def _psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(20 * np.log10(255 / np.sqrt(np.mean((one.astype(float) - other) ** 2))))


@pytest.mark.usefixtures("bfloat16")
def test_bfloat16_draws_the_authors_picture(authors_model: Path, reference: Path) -> None:
    photo = read_rgb(reference / "photos" / "mountain4.jpg")[:300, :400]
    half = Cartoonizer.load(authors_model, precision="bfloat16")(photo)
    full = Cartoonizer.load(authors_model)(photo)
    assert (half != full).any()
    # 57 dB on this picture; the bound is what nobody can see.
    assert _psnr(half, full) > 50


@pytest.mark.usefixtures("bfloat16")
def test_bfloat16_stays_with_the_function_and_the_thread_it_was_asked_for() -> None:
    kernel = tf.random.stateless_uniform([3, 3, 8, 8], seed=(1, 2))
    x = tf.random.stateless_uniform([1, 64, 64, 8], seed=(3, 4))

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 8])])
    def network(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv2d(tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME")), kernel, 1, "SAME")

    full = network(x)
    half = in_precision(network, "bfloat16")(x=x)
    assert half.dtype == tf.float32
    error = tf.reduce_max(tf.abs(half - full)) / tf.reduce_max(full)
    assert 1e-4 < error < 2e-2
    np.testing.assert_array_equal(network(x), full)

    # Another thread's first call, while this one is inside a function in half precision.
    results = []

    def probe() -> np.ndarray:
        thread = threading.Thread(target=lambda: results.append(network(x)))
        thread.start()
        thread.join()
        return results[-1]

    np.testing.assert_array_equal(in_precision(lambda: probe(), "bfloat16")(), full)


@pytest.mark.usefixtures("bfloat16")
def test_the_guided_filter_stays_in_float32(tiny_model: Path) -> None:
    from tensorflow.python.eager import context

    from wbc_tf.artefact.model_directory import find_model

    loaded = tf.saved_model.load(str(find_model(tiny_model)))
    context.enable_run_metadata()
    try:
        in_precision(loaded.signatures["coefficients"], "bfloat16")(photo=tf.ones([1, 32, 32, 3]))
        functions = context.export_run_metadata().function_graphs
    finally:
        context.disable_run_metadata()
    nodes = [node for function in functions for node in function.post_optimization_graph.node]
    types = {
        kind: {tf.dtypes.as_dtype(node.attr["T"].type) for node in nodes if node.op.endswith(kind)}
        for kind in ("Conv2D", "AvgPool", "RealDiv")
    }
    assert types == {"Conv2D": {tf.bfloat16}, "AvgPool": {tf.float32}, "RealDiv": {tf.float32}}
