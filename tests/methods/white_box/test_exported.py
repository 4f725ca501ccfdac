from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.exported import load_generator
from wbc_tf.artefact.model_directory import find_model, load_signatures
from wbc_tf.layers.guided_filter import guided_filter
from wbc_tf.methods.white_box.exported import EXPORTED, bytes_per_pixel, coefficients, reach
from wbc_tf.methods.white_box.generator import Generator, build_generator


def _photo(*size: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (*size, 3)).astype(np.float32)


def _expected(generator: Generator, photo: np.ndarray) -> np.ndarray:
    """Padding by NumPy, the Keras network, the crop, and the guided filter as at inference."""
    height, width = photo.shape[1:3]
    padding = [(0, 0), (0, -height % 4), (0, -width % 4), (0, 0)]
    raw = generator(np.pad(photo, padding, mode="reflect"))[:, :height, :width]
    return guided_filter(photo, raw, radius=1, eps=5e-3).numpy()


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> Generator:
    return load_generator(EXPORTED, tiny_model)


@pytest.mark.parametrize("size", [(1, 12, 16), (1, 13, 18), (2, 7, 22)])
def test_predicts_what_the_keras_generator_draws(
    tiny_model: Path, tiny: Generator, size: tuple[int, ...]
) -> None:
    signatures = load_signatures(find_model(tiny_model))
    photo = _photo(*size)
    cartoon = signatures["predict_float"](photo=tf.constant(photo))["cartoon"]
    np.testing.assert_allclose(cartoon, _expected(tiny, photo), atol=1e-5)
    model = signatures["coefficients"](photo=tf.constant(photo))
    np.testing.assert_allclose(model["scale"] * photo + model["offset"], cartoon, atol=1e-6)


def test_coefficients_are_the_cartoon_taken_apart(tiny: Generator) -> None:
    photo = _photo(1, 13, 18)
    scale, offset = coefficients(tiny, tf.constant(photo))
    np.testing.assert_allclose(scale * photo + offset, _expected(tiny, photo), atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (1, 9), (401, 3)])
def test_takes_pictures_of_any_size(tiny_model: Path, size: tuple[int, int]) -> None:
    predict = load_signatures(find_model(tiny_model))["predict_float"]
    cartoon = predict(photo=tf.constant(_photo(1, *size)))["cartoon"]
    assert cartoon.shape == (1, *size, 3)
    assert np.isfinite(cartoon).all()


def test_the_model_says_how_far_it_sees() -> None:
    # A block's two 3x3 convolutions at a quarter of the size reach 8 pixels.
    halos = {}
    for blocks in (1, 3):
        generator = build_generator(channels=2, blocks=blocks)
        seen = reach(generator)
        metadata = EXPORTED.metadata(generator)
        assert metadata["reach"] == {"halo": seen.halo, "grid": seen.size_multiple}
        assert metadata["bytes_per_pixel"] == bytes_per_pixel(generator)
        halos[blocks] = seen.halo
    assert halos[3] - halos[1] == 2 * 8


def test_nothing_beyond_the_halo_has_an_influence_and_the_halos_last_pixel_has() -> None:
    generator = build_generator(channels=2, blocks=1)
    halo = reach(generator).halo
    farthest = 0
    for at in range(60, 64):  # every place on the grid of 4
        photo = _photo(1, 124, 124)
        photo[0, at, at] = np.nan
        for output in coefficients(generator, tf.constant(photo)):
            for touched in np.nonzero(np.isnan(output[0, :, :, 0])):
                farthest = max(farthest, np.abs(touched - at).max())
    assert farthest == halo


def test_wider_networks_take_more_memory() -> None:
    # The measured peaks, see bytes_per_pixel: the line lies above them, and not far.
    for channels, measured in ((4, 162), (16, 283), (32, 550), (64, 995)):
        stated = bytes_per_pixel(build_generator(channels=channels, blocks=1))
        assert measured < stated < 1.25 * measured
