from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from wbc_tf import convert
from wbc_tf.artefact.exported import load_generator
from wbc_tf.artefact.model_directory import find_model, read_metadata
from wbc_tf.artefact.weights import WeightsError
from wbc_tf.methods.cartoongan import convert as module
from wbc_tf.methods.cartoongan.convert import (
    CONVERTER,
    NAMES,
    fingerprint,
    generator_from_arrays,
    generator_from_file,
    read_arrays,
)
from wbc_tf.methods.cartoongan.exported import EXPORTED
from wbc_tf.training.spec import ConversionError


@pytest.fixture(scope="module")
def published(cartoongan):
    with np.load(cartoongan / "weights_hayao.npz") as file:
        return dict(file)


def test_the_names_are_all_the_published_ones(published):
    biases = {name.replace(".weight", ".bias") for name in NAMES if name.endswith(".weight")}
    assert NAMES.keys() | biases == published.keys()


def test_these_are_the_weights_that_the_figures_were_made_with(published):
    assert fingerprint(published).startswith("739d8f9c2710eb9fe54117cdd785def4")


def test_the_command_converts_the_published_file(cartoongan, tmp_path, call):
    done = call(
        convert,
        "--method=cartoongan",
        f"--checkpoint={cartoongan / 'weights_hayao.npz'}",
        f"--output={tmp_path / 'hayao'}",
    )
    assert done.status == 0, done.err
    assert "Licence: not known" in done.out
    metadata = read_metadata(find_model(tmp_path / "hayao"))
    assert metadata["origin"] == "weights_hayao.npz, the published weights of the style Hayao"
    assert metadata["licence"] == CONVERTER.licence
    assert metadata["reach"] == "whole"
    ours = load_generator(EXPORTED, tmp_path / "hayao")
    theirs = generator_from_file(str(cartoongan / "weights_hayao.npz"))
    for one, other in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_weights_that_draw_another_picture_than_they_should_are_refused(cartoongan, monkeypatch):
    style = next(iter(module._KNOWN))
    monkeypatch.setitem(module._KNOWN, style, ("Hayao", (0.5, 0.5, 0.5)))
    with pytest.raises(ConversionError, match="published weights of Hayao"):
        generator_from_file(str(cartoongan / "weights_hayao.npz"))


def test_weights_that_draw_nothing_are_refused(published, tmp_path):
    np.savez(tmp_path / "dark.npz", **{**published, "in13_1.scale": np.zeros([64], np.float32)})
    with pytest.raises(ConversionError, match=r"dark\.npz: .* draws no picture"):
        generator_from_file(str(tmp_path / "dark.npz"))


def test_without_pytorch_a_pth_file_is_an_error_with_the_way_out(tmp_path, monkeypatch):
    path = tmp_path / "Hayao_net_G_float.pth"
    path.write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        ConversionError, match=r"(?s)Hayao_net_G_float\.pth.*not installed"
    ) as raised:
        read_arrays(str(path))
    snippet = [line.strip() for line in str(raised.value).splitlines()[1:3]]
    compile("\n".join(snippet), "snippet", "exec")


def test_a_pth_file_is_read_by_pytorch(published, tmp_path, monkeypatch):
    """A stand-in for PyTorch: what is asked of it, and that its tensors become arrays."""

    class Tensor:
        def __init__(self, array):
            self.numpy = lambda: array

    def load(path, *, map_location, weights_only):
        assert (map_location, weights_only) == ("cpu", True)
        if b"broken" in Path(path).read_bytes():
            raise RuntimeError("not a zip archive")
        return {name: Tensor(array) for name, array in published.items()}

    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(load=load))
    path = tmp_path / "net.pth"
    path.write_bytes(b"weights")
    assert read_arrays(str(path)).keys() == published.keys()
    path.write_bytes(b"broken")
    with pytest.raises(ConversionError, match=r"net\.pth: PyTorch cannot read it \(not a zip"):
        read_arrays(str(path))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.npz", "there is no such file"),
        ("broken.npz", "no readable .npz file"),
        ("model.ckpt", "a published file ends in .pth"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, message):
    if not name.startswith("none"):
        (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(ConversionError, match=message) as raised:
        read_arrays(str(tmp_path / name))
    assert name in str(raised.value)


def test_what_is_missing_left_over_or_misshapen_is_listed(published):
    changed = {**published, "conv99.weight": np.zeros([1])}
    del changed["in04_2.shift"]
    changed["deconv01_1.weight"] = changed["deconv01_1.weight"].transpose(1, 0, 2, 3)
    changed["conv05_1.bias"] = np.zeros([255], np.float32)
    with pytest.raises(WeightsError, match=r"of_mine\.npz") as raised:
        generator_from_arrays(changed, source="of_mine.npz")
    for problem in (
        "missing: in04_2.shift",
        "not expected: conv99.weight",
        r"deconv01_1.weight is [128, 256, 3, 3], expected [256, 128, 3, 3]",
        "conv05_1.bias is [255], expected [256]",
    ):
        assert problem in str(raised.value)


def test_a_bias_that_acts_is_refused(published):
    changed = {**published, "deconv03_1.bias": np.float32([0, 0.5, 0])}
    with pytest.raises(WeightsError, match=r"deconv03_1\.bias goes up to 0\.5"):
        generator_from_arrays(changed, source="mine.npz")
