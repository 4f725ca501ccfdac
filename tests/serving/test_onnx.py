from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from PIL import Image

from wbc_tf.artefact.exported import load_generator
from wbc_tf.artefact.model_directory import read_metadata
from wbc_tf.files.pictures import read_rgb
from wbc_tf.images import to_float, to_uint8
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.engines import ONNX_METADATA
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.serving.onnx import OPSET, VARIANTS, export_onnx
from wbc_tf.serving.parity import ParityError
from wbc_tf.serving.sample_photo import sample_photo
from wbc_tf.serving.variants import Tolerance

Network = Callable[..., tuple[tf.Tensor, tf.Tensor]]


@pytest.fixture(scope="module")
def network(tiny_model: Path) -> Network:
    return partial(EXPORTED.coefficients, load_generator(EXPORTED, tiny_model))


@pytest.fixture(scope="module")
def version(network: Network, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files; those of every method are tested in tests/methods/test_every_method.py."""
    folder = tmp_path_factory.mktemp("onnx") / "tiny-onnx"
    metadata = read_metadata(tiny_model / "1")
    version, rows = export_onnx(folder, network, size=None, metadata=metadata)
    assert [row.variant for row in rows] == list(VARIANTS)
    assert rows[1].size < 0.7 * rows[0].size
    return version


def test_a_file_is_a_model_like_any_other(network: Network, version: Path) -> None:
    photo = sample_photo(37, 50)
    for settings in ({}, {"strength": 0.5}, {"delta": 0.0}):
        knobs = {"strength": 1.0, "delta": 1.0, **settings}
        inputs = tf.constant(to_float(photo)[None])
        scale, offset = network(inputs, knobs["strength"], knobs["delta"])
        expected = to_uint8((scale * inputs + offset).numpy()[0]).astype(int)
        cartoon = Cartoonizer.load(version / "float32.onnx")(photo, **settings)
        assert np.abs(cartoon - expected).max() <= 1
        cartoon = Cartoonizer.load(version / "float16.onnx", precision="float16")(photo, **settings)
        assert np.abs(cartoon - expected).max() <= 2


def test_a_file_tells_how_it_is_used(version: Path) -> None:
    model = onnx.load(str(version / "float32.onnx"))
    assert {each.domain: each.version for each in model.opset_import}[""] == OPSET
    (stated,) = (each.value for each in model.metadata_props if each.key == ONNX_METADATA)
    assert {"method", "licence", "short_side", "reach", "use"} <= json.loads(stated).keys()
    # Without this package: one input, one output; the settings have their defaults.
    session = onnxruntime.InferenceSession(str(version / "float32.onnx"))
    photo = to_float(sample_photo(20, 24)[None])
    (cartoon,) = session.run(["cartoon"], {"photo": photo})
    settings = {"strength": np.array(1, np.float32), "delta": np.array(1, np.float32)}
    (stated_cartoon,) = session.run(["cartoon"], {"photo": photo, **settings})
    np.testing.assert_array_equal(cartoon, stated_cartoon)


def test_the_lines_in_the_docs_need_nothing_of_ours(
    root: Path, version: Path, tmp_path: Path
) -> None:
    page = (root / "docs" / "serving.md").read_text("utf-8")
    (lines,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    blocked = "import sys\nfor name in ('wbc_tf', 'tensorflow'): sys.modules[name] = None\n"
    shutil.copy(version / "float32.onnx", tmp_path)
    for height, width in ((60, 90), (1440, 1500)):  # at its own size, and reduced to half
        photo = sample_photo(height, width)
        Image.fromarray(photo).save(tmp_path / "photo.jpg", "PNG")
        subprocess.run([sys.executable, "-c", blocked + lines], cwd=tmp_path, check=True)
        drawn = read_rgb(tmp_path / "cartoon.png").astype(int)
        expected = Cartoonizer.load(version / "float32.onnx")(photo, output_size="working")
        assert drawn.shape == expected.shape
        # Pillow and OpenCV may round a reduced photo otherwise, by one grey level.
        assert np.abs(drawn - expected).max() <= (0 if height < 720 else 3)


def test_a_fixed_size_and_a_file_that_is_off(
    network: Network, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = read_metadata(tiny_model / "1")
    version, _ = export_onnx(tmp_path / "a", network, size=(30, 44), metadata=metadata)
    session = onnxruntime.InferenceSession(str(version / "float32.onnx"))
    assert session.get_inputs()[0].shape == [1, 30, 44, 3]

    monkeypatch.setattr("wbc_tf.serving.onnx.VARIANTS", {"float32": Tolerance(largest=-1)})
    with pytest.raises(ParityError, match=r"float32\.onnx: differs from the network by"):
        export_onnx(tmp_path / "b", network, size=(30, 44), metadata=metadata)
    assert not (tmp_path / "b").exists()
