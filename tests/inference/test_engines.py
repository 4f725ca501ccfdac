from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf import cartoonize
from wbc_tf.artefact.model_directory import ModelNotFoundError
from wbc_tf.files.pictures import read_rgb, write_image
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.engines import NetworkError, PrecisionError, is_onnx, load_engine
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.serving.onnx import export_onnx
from wbc_tf.serving.sample_photo import sample_photo


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tf.keras.utils.set_random_seed(0)
    generator = EXPORTED.build(channels=4, blocks=1)
    version, _ = export_onnx(
        tmp_path_factory.mktemp("onnx") / "tiny",
        partial(EXPORTED.coefficients, generator),
        size=None,
        metadata={**EXPORTED.metadata(generator), "licence": "none"},
    )
    return version / "float32.onnx"


def test_an_onnx_file_is_told_by_its_name() -> None:
    assert is_onnx("a/b.ONNX")
    assert not is_onnx("white_box")


def test_an_onnx_file_needs_what_the_docs_install_and_no_tensorflow(
    model: Path, tmp_path: Path, root: Path
) -> None:
    write_image(tmp_path / "a.png", sample_photo(40, 56))
    page = (root / "docs" / "serving.md").read_text("utf-8")
    (line,) = re.findall(r"^pip install --constraint \S+ (.*)", page, flags=re.MULTILINE)
    assert line.split()[-1] == "onnxruntime"
    others = {"tensorflow", "tensorflow_addons", "keras", "h5py", "scipy", "skimage", "onnx"}
    assert not others & set(line.split())
    code = (
        f"import sys\nfor name in {sorted(others)}: sys.modules[name] = None\n"
        "from wbc_tf.cartoonize import run\nrun()"
    )
    arguments = [f"--model={model}", f"--input={tmp_path}/a.png", f"--output={tmp_path}/b.png"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = Cartoonizer.load(model)(sample_photo(40, 56))
    np.testing.assert_array_equal(read_rgb(tmp_path / "b.png"), expected)


def test_files_that_are_no_model_are_named(model: Path, tmp_path: Path, call) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(model.read_bytes()[:1000])
    with pytest.raises(ModelNotFoundError, match=r"broken\.onnx: broken, or no ONNX file"):
        load_engine(broken, precision="float32")
    with pytest.raises(ModelNotFoundError, match="there is no such file"):
        load_engine(tmp_path / "none.onnx", precision="float32")
    with pytest.raises(PrecisionError, match=r"computes in float32; --precision=float16"):
        load_engine(model, precision="float16")
    write_image(tmp_path / "a.png", sample_photo(8, 8))
    outcome = call(
        cartoonize, f"--model={broken}", f"--input={tmp_path}/a.png", f"--output={tmp_path}/b.png"
    )
    assert outcome.status == 2
    assert "broken.onnx" in outcome.err


def test_what_the_engine_cannot_run_is_one_kind_of_error(model: Path, tiny_model: Path) -> None:
    for each in (model, tiny_model):
        run, _ = load_engine(each, precision="float32")
        with pytest.raises(NetworkError):
            run(photo=np.zeros([1, 0, 4, 3], np.float32), strength=1.0, delta=1.0)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is for x86")
def test_bias_and_leaky_relu_are_part_of_the_convolutions(root: Path) -> None:
    code = (
        "import numpy as np\nfrom wbc_tf import Cartoonizer\n"
        "Cartoonizer.load()(np.zeros([60, 92, 3], np.uint8))"
    )
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_VERBOSE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, check=True
    )
    lines = [line for line in done.stdout.decode().splitlines() if ",exec,cpu," in line]
    convolutions = [line for line in lines if ",convolution," in line]
    assert len(convolutions) == 18
    assert all("bia_f32" in line for line in convolutions)
    # The others end a residual block, whose sum is part of them, or make the picture.
    assert sum("eltwise_relu:0.2" in line for line in convolutions) == 13
    assert sum("post-ops:sum" in line for line in convolutions) == 4
    # Only weights change their memory format: 18 sets of at most 7 x 7.
    reorders = [line.split(",")[-2] for line in lines if ",reorder," in line]
    assert [shape for shape in reorders if not re.fullmatch(r"\d+x\d+x[37]x[37]", shape)] == []


@pytest.mark.skipif(sys.platform == "win32", reason="has no fork")
@pytest.mark.parametrize("again", [False, True])
def test_a_forked_child_is_refused_and_does_not_wait_for_ever(
    tiny_model: Path, again: bool
) -> None:
    run, _ = load_engine(tiny_model, precision="float32")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # ends it, should it wait
        try:
            if again:
                load_engine(tiny_model, precision="float32")
            else:
                run(photo=np.zeros([1, 8, 8, 3], np.float32))
        except NetworkError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as stream:
        said = stream.read().decode()
    os.waitpid(child, 0)
    assert "multiprocessing.get_context('spawn')" in said
