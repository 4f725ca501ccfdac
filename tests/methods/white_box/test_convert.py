from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.files.mirror import Mirror
from wbc_tf import convert as command
from wbc_tf.artefact.exported import load_generator
from wbc_tf.artefact.model_directory import find_model, read_metadata
from wbc_tf.files.download import git_blob_sha1
from wbc_tf.methods.white_box import convert
from wbc_tf.methods.white_box.convert import (
    cache_folder,
    fetch,
    find_checkpoint,
    generator_from_checkpoint,
)
from wbc_tf.methods.white_box.exported import EXPORTED

PREFIX = convert.PREFIX


def _released_shapes() -> dict[str, tuple[int, ...]]:
    """The published variables, written down from the paper's figure and TensorFlow-slim's rules."""
    kernels = {
        "Conv": (7, 7, 3, 32),
        "Conv_1": (3, 3, 32, 32),
        "Conv_2": (3, 3, 32, 64),
        "Conv_3": (3, 3, 64, 64),
        "Conv_4": (3, 3, 64, 128),
        **{f"block_{i}/conv{j}": (3, 3, 128, 128) for i in range(4) for j in (1, 2)},
        "Conv_5": (3, 3, 128, 64),
        "Conv_6": (3, 3, 64, 64),
        "Conv_7": (3, 3, 64, 32),
        "Conv_8": (3, 3, 32, 32),
        "Conv_9": (7, 7, 32, 3),
    }
    return {
        **{f"generator/{name}/weights": shape for name, shape in kernels.items()},
        **{f"generator/{name}/biases": shape[-1:] for name, shape in kernels.items()},
    }


@pytest.fixture(scope="module")
def values() -> dict[str, np.ndarray]:
    """Random weights under the published names."""
    rng = np.random.default_rng(0)
    return {
        name: (0.05 * rng.normal(size=shape)).astype(np.float32)
        for name, shape in _released_shapes().items()
    }


def _write(folder: Path, values: dict[str, np.ndarray]) -> Path:
    """A checkpoint as TensorFlow 1 wrote it: names and tensors, no object graph."""
    folder.mkdir(parents=True, exist_ok=True)
    tf.raw_ops.SaveV2(
        prefix=str(folder / PREFIX),
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=list(values.values()),
    )
    return folder / PREFIX


@pytest.fixture(scope="module")
def checkpoint(values: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("released"), values)


# Converting.


def test_the_names_are_the_published_ones(reference: Path) -> None:
    reader = tf.train.load_checkpoint(str(reference / "saved_models"))
    published = {name: tuple(s) for name, s in reader.get_variable_to_shape_map().items()}
    assert published == _released_shapes()


def test_every_value_arrives_and_only_colours_are_turned(
    call: Callable, checkpoint: Path, values: dict[str, np.ndarray], tmp_path: Path
) -> None:
    outcome = call(command, f"--checkpoint={checkpoint}", f"--output={tmp_path / 'm'}")
    assert outcome.status == 0
    assert "CC BY-NC-SA 4.0" in outcome.out
    generator = load_generator(EXPORTED, tmp_path / "m")
    layers = [
        generator.stem,
        generator.down_half,
        generator.conv_half,
        generator.down_quarter,
        generator.conv_quarter,
        *[conv for block in generator.blocks for conv in (block.conv1, block.conv2)],
        generator.squeeze_quarter,
        generator.merge_half,
        generator.squeeze_half,
        generator.merge_full,
        generator.to_rgb,
    ]
    names = [name[: -len("/weights")] for name in values if name.endswith("/weights")]
    assert len(layers) == len(names) == 18
    for layer, name in zip(layers, names):
        kernel, bias = layer.kernel.numpy(), layer.bias.numpy()
        if name == "generator/Conv":
            kernel = kernel[:, :, ::-1]
        if name == "generator/Conv_9":
            kernel, bias = kernel[..., ::-1], bias[::-1]
        np.testing.assert_array_equal(kernel, values[f"{name}/weights"])
        np.testing.assert_array_equal(bias, values[f"{name}/biases"])
    metadata = read_metadata(find_model(tmp_path / "m"))
    assert metadata["licence"] == convert.LICENCE
    assert PREFIX in metadata["origin"]


def test_the_round_trip_draws_the_same(reference: Path, authors_model: Path) -> None:
    photo = np.random.default_rng(1).uniform(-1, 1, (1, 24, 36, 3)).astype(np.float32)
    direct = generator_from_checkpoint(reference / "saved_models")
    np.testing.assert_array_equal(load_generator(EXPORTED, authors_model)(photo), direct(photo))


def test_a_checkpoint_is_found_by_prefix_or_folder(reference: Path) -> None:
    folder = reference / "saved_models"
    assert find_checkpoint(folder) == str(folder / PREFIX)
    assert find_checkpoint(folder / PREFIX) == str(folder / PREFIX)


def _renamed(values: dict) -> dict:
    return {k.replace("Conv_3/biases", "Conv_3/bias"): v for k, v in values.items()}


def _dropped(values: dict) -> dict:
    return {k: v for k, v in values.items() if k != "generator/Conv/weights"}


def _misshapen(values: dict) -> dict:
    return {**values, "generator/Conv_9/weights": np.zeros((7, 7, 3, 32), np.float32)}


def _extra(values: dict) -> dict:
    return {**values, "generator/Conv_10/weights": np.zeros((1, 1, 3, 3), np.float32)}


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (
            _renamed,
            ["missing: generator/Conv_3/biases", "not expected: generator/Conv_3/bias"],
        ),
        (_dropped, ["missing: generator/Conv/weights"]),
        (
            _misshapen,
            ["wrong shape: generator/Conv_9/weights is [7, 7, 3, 32], expected [7, 7, 32, 3]"],
        ),
        (_extra, ["not expected: generator/Conv_10/weights"]),
    ],
)
def test_what_does_not_fit_is_listed_by_name_and_nothing_is_written(
    call: Callable, values: dict[str, np.ndarray], tmp_path: Path, change: Callable, lines: list
) -> None:
    prefix = _write(tmp_path / "in", change(values))
    outcome = call(command, f"--checkpoint={prefix}", f"--output={tmp_path / 'out'}")
    assert outcome.status == 1
    first, *listed = outcome.err.splitlines()
    assert str(prefix) in first
    assert [line.strip() for line in listed] == lines
    assert os.listdir(tmp_path) == ["in"]


def test_a_broken_checkpoint_is_an_error_and_nothing_is_written(
    call: Callable, checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for file in checkpoint.parent.iterdir():
        content = file.read_bytes()
        half = content[: len(content) // 2] if "data" in file.name else content
        (tmp_path / "in" / file.name).write_bytes(half)
    prefix = tmp_path / "in" / PREFIX
    outcome = call(command, f"--checkpoint={prefix}", f"--output={tmp_path / 'out'}")
    assert outcome.status == 1
    assert f"{prefix}: unreadable checkpoint" in outcome.err
    assert os.listdir(tmp_path) == ["in"]


@pytest.mark.parametrize("given", ["nowhere", "empty"])
def test_no_checkpoint_there(call: Callable, tmp_path: Path, given: str) -> None:
    (tmp_path / "empty").mkdir()
    outcome = call(command, f"--checkpoint={tmp_path / given}", f"--output={tmp_path / 'out'}")
    assert outcome.status == 1
    assert f"{tmp_path / given}: no TensorFlow checkpoint" in outcome.err
    assert os.listdir(tmp_path) == ["empty"]


# Downloading. There is nothing to be fetched from outside in a test: the server is this process.


def test_what_is_published_is_pinned() -> None:
    assert convert.BASE_URL == (
        "https://raw.githubusercontent.com/SystemErrorWang/White-box-Cartoonization/"
        "ee97277d7fd873b89e9b8e1341efe74e10dd4124/test_code/saved_models"
    )
    assert convert.PUBLISHED == {
        "model-33999.data-00000-of-00001": "785cdcb8a0ab9bf44171c087878cc84863562eab",
        "model-33999.index": "f1749e5542e83cf01a19aa1b2a3a7370a17efa41",
    }


@pytest.fixture
def mirror(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror of `checkpoint`, published under its own hashes; the cache is below tmp_path."""
    files = {file.name: file.read_bytes() for file in checkpoint.parent.iterdir()}
    hashes = {name: git_blob_sha1(checkpoint.parent / name) for name in convert.PUBLISHED}
    monkeypatch.setattr(convert, "PUBLISHED", hashes)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    mirror = Mirror(files)
    yield mirror
    mirror.close()


def test_downloads_and_converts(
    call: Callable, mirror: Mirror, values: dict[str, np.ndarray], tmp_path: Path
) -> None:
    outcome = call(command, "--download", f"--base_url={mirror.url}", f"--output={tmp_path / 'm'}")
    assert outcome.status == 0
    assert "CC BY-NC-SA 4.0" in outcome.out
    assert (tmp_path / "cache") in cache_folder().parents
    assert sorted(os.listdir(cache_folder())) == sorted(convert.PUBLISHED)
    kernel = load_generator(EXPORTED, tmp_path / "m").squeeze_half.kernel
    np.testing.assert_array_equal(kernel, values["generator/Conv_7/weights"])

    mirror.asked.clear()
    assert fetch(mirror.url) == cache_folder() / PREFIX
    assert mirror.asked == [], "the second call uses the cache"


def test_a_failed_download_says_what_else_to_do(
    call: Callable, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.files.clear()
    outcome = call(
        command, "--download", f"--base_url={mirror.url}", f"--output={tmp_path / 'out'}"
    )
    assert outcome.status == 1
    first = next(iter(convert.PUBLISHED))
    assert f"{mirror.url}/{first}: could not be fetched (Not Found)" in outcome.err
    assert "--checkpoint" in outcome.err
    assert "Traceback" not in outcome.err
    assert os.listdir(tmp_path) == ["cache"], "no output"


def test_a_cache_that_cannot_be_written_is_a_clear_error(
    call: Callable, mirror: Mirror, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    outcome = call(
        command, "--download", f"--base_url={mirror.url}", f"--output={tmp_path / 'out'}"
    )
    assert outcome.status == 1
    assert str(tmp_path / "cache") in outcome.err
    assert not (tmp_path / "out").exists()
