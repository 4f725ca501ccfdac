from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf import convert as command
from wbc_tf.artefact.exported import load_generator
from wbc_tf.artefact.model_directory import find_model, read_metadata
from wbc_tf.methods.white_box import convert
from wbc_tf.methods.white_box.convert import (
    ConversionError,
    cache_folder,
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


def test_hashes_are_gits() -> None:
    # git hash-object of an empty file and of "hello world\n", as known everywhere.
    assert _sha1(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert _sha1(b"hello world\n") == "3b18e512dba79e4c8300dd08aeb37f8e728b8dad"


def _sha1(content: bytes) -> str:

    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return convert.git_blob_sha1(file.name)


def test_what_is_published_is_pinned() -> None:
    assert convert.BASE_URL == (
        "https://raw.githubusercontent.com/SystemErrorWang/White-box-Cartoonization/"
        "ee97277d7fd873b89e9b8e1341efe74e10dd4124/test_code/saved_models"
    )
    assert convert.PUBLISHED == {
        "model-33999.data-00000-of-00001": "785cdcb8a0ab9bf44171c087878cc84863562eab",
        "model-33999.index": "f1749e5542e83cf01a19aa1b2a3a7370a17efa41",
    }


class Mirror:
    """A web server on this machine that holds files, and can be told to spoil one of them."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []
        self.cut_off = ""  # this file's body stops half-way, and the connection closes
        self.stall = ""  # this file's body stops half-way, and the connection stays
        self.done = threading.Event()
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rsplit("/", 1)[-1]
                mirror.asked.append(name)
                if name not in mirror.files:
                    self.send_error(404)
                    return
                body = mirror.files[name]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                spoilt = name in (mirror.cut_off, mirror.stall)
                self.wfile.write(body[: len(body) // 2] if spoilt else body)
                if name == mirror.stall:
                    mirror.done.wait(10)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/saved_models"

    def close(self) -> None:
        self.done.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def mirror(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror of `checkpoint`, published under its own hashes; the cache is below tmp_path."""
    files = {file.name: file.read_bytes() for file in checkpoint.parent.iterdir()}
    assert set(files) == set(convert.PUBLISHED)
    hashes = {name: _sha1(files[name]) for name in convert.PUBLISHED}
    monkeypatch.setattr(convert, "PUBLISHED", hashes)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    mirror = Mirror(files)
    yield mirror
    mirror.close()


def _cached(tmp_path: Path) -> list[str]:
    assert (tmp_path / "cache") in cache_folder().parents
    return sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())


def test_downloads_checks_caches_and_converts(
    call: Callable, mirror: Mirror, values: dict[str, np.ndarray], tmp_path: Path
) -> None:
    arguments = ["--download", f"--base_url={mirror.url}"]
    outcome = call(command, *arguments, f"--output={tmp_path / 'first'}")
    assert outcome.status == 0
    assert "CC BY-NC-SA 4.0" in outcome.out
    assert mirror.asked == list(convert.PUBLISHED)
    assert _cached(tmp_path) == sorted(convert.PUBLISHED)
    kernel = load_generator(EXPORTED, tmp_path / "first").squeeze_half.kernel
    np.testing.assert_array_equal(kernel, values["generator/Conv_7/weights"])

    mirror.asked.clear()
    assert call(command, *arguments, f"--output={tmp_path / 'second'}").status == 0
    assert mirror.asked == [], "the second call uses the cache"


def test_a_spoilt_cache_is_fetched_again(mirror: Mirror, tmp_path: Path) -> None:
    prefix = convert.download(base_url=mirror.url)
    index = prefix.with_name(f"{PREFIX}.index")
    index.write_bytes(b"spoilt")
    mirror.asked.clear()
    assert convert.download(base_url=mirror.url) == prefix
    assert mirror.asked == [index.name]
    assert index.read_bytes() == mirror.files[index.name]


def _refused(call: Callable, tmp_path: Path, url: str) -> str:
    """Runs a download that must fail; what it said."""
    outcome = call(command, "--download", f"--base_url={url}", f"--output={tmp_path / 'out'}")
    assert outcome.status == 1
    assert _cached(tmp_path) == []
    assert os.listdir(tmp_path) in (["cache"], []), "no output"
    assert "Traceback" not in outcome.err
    return outcome.err


FIRST = next(iter(convert.PUBLISHED))


def test_another_content_than_published_is_refused(
    call: Callable, mirror: Mirror, tmp_path: Path
) -> None:
    body = bytearray(mirror.files[FIRST])
    body[1000] ^= 1
    mirror.files[FIRST] = bytes(body)
    message = _refused(call, tmp_path, mirror.url)
    assert f"{mirror.url}/{FIRST}: not the published file" in message
    assert convert.PUBLISHED[FIRST] in message


def test_a_body_that_is_cut_off_is_refused(call: Callable, mirror: Mirror, tmp_path: Path) -> None:
    mirror.cut_off = FIRST
    size = len(mirror.files[FIRST])
    message = _refused(call, tmp_path, mirror.url)
    assert f"{mirror.url}/{FIRST}: cut off after {size // 2} of {size} bytes" in message


def test_a_body_that_stalls_is_given_up(
    call: Callable, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "_TIMEOUT_SECONDS", 0.3)
    mirror.stall = FIRST
    message = _refused(call, tmp_path, mirror.url)
    assert f"{mirror.url}/{FIRST}: could not be fetched" in message
    assert "timed out" in message


def test_a_file_that_is_not_there_is_named(call: Callable, mirror: Mirror, tmp_path: Path) -> None:
    del mirror.files[FIRST]
    message = _refused(call, tmp_path, mirror.url)
    assert f"{mirror.url}/{FIRST}: could not be fetched (Not Found)" in message
    assert "--checkpoint" in message


def test_an_unreachable_host_is_named(call: Callable, mirror: Mirror, tmp_path: Path) -> None:
    with socket.socket() as closed:  # bound and never listening
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        message = _refused(call, tmp_path, url)
    assert f"{url}/{FIRST}: could not be fetched" in message
    assert "refused" in message


def test_what_is_no_url_is_named(call: Callable, mirror: Mirror, tmp_path: Path) -> None:
    assert "saved_models/" in _refused(call, tmp_path, "saved_models")


def test_the_good_file_is_kept_when_the_other_fails(mirror: Mirror, tmp_path: Path) -> None:
    mirror.cut_off = f"{PREFIX}.index"
    with pytest.raises(ConversionError, match="cut off"):
        convert.download(base_url=mirror.url)
    assert _cached(tmp_path) == [FIRST]
    mirror.cut_off = ""
    mirror.asked.clear()
    convert.download(base_url=mirror.url)
    assert mirror.asked == [f"{PREFIX}.index"]


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
