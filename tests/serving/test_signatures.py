from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.exported import load_generator
from wbc_tf.artefact.model_directory import load_signatures
from wbc_tf.files.pictures import decode_photo, encode_image
from wbc_tf.images import to_float, to_uint8
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.serving.sample_photo import sample_photo
from wbc_tf.serving.settings import DEFAULT_SETTINGS, ServingSettings
from wbc_tf.serving.signatures import build_signatures

Signatures = dict[str, Any]


def darken(photo: tf.Tensor, strength: tf.Tensor, delta: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A method in one line: halves the contrast and takes a quarter off.

    Its settings take effect each in its own way, so that they cannot be mixed up.
    """
    return tf.fill(tf.shape(photo), 0.5 * strength), tf.fill(tf.shape(photo), -0.25 * delta)


def wavy(photo: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Coefficients that differ from pixel to pixel, so that sizes matter."""
    return tf.sin(3.0 * photo) + 0.5, 0.3 * tf.cos(5.0 * photo)


def signatures(coefficients: Any, **settings: Any) -> Signatures:
    return build_signatures(coefficients, ServingSettings(**settings))


@pytest.fixture(scope="module")
def loaded(tiny_model: Path) -> Signatures:
    return load_signatures(tiny_model / "1")


@pytest.fixture(scope="module")
def cartoonizer(tiny_model: Path) -> Cartoonizer:
    return Cartoonizer.load(tiny_model)


def png(photo: np.ndarray, alpha: np.ndarray | None = None) -> bytes:
    return encode_image(photo, alpha=alpha, file_format="PNG")


def serve(found: Signatures, *files: bytes) -> list[np.ndarray]:
    answer = found["serving_default"](image_bytes=tf.constant(list(files), tf.string))
    return [decode_photo(data, name="answer").rgb for data in answer["cartoon_bytes"].numpy()]


def test_names_types_and_free_shapes(tiny_model: Path) -> None:
    found = tf.saved_model.load(str(tiny_model / "1")).signatures

    def described(signature: str) -> tuple[dict[str, Any], dict[str, Any]]:
        inputs = found[signature].structured_input_signature[1]
        outputs = found[signature].structured_outputs
        return tuple(
            {name: (spec.dtype.name, spec.shape.as_list()) for name, spec in specs.items()}
            for specs in (inputs, outputs)
        )

    free, knobs = [None, None, None, 3], {"strength": ("float32", []), "delta": ("float32", [])}
    assert described("serving_default") == (
        {"image_bytes": ("string", [None]), **knobs},
        {"cartoon_bytes": ("string", [None])},
    )
    assert described("predict_uint8") == (
        {"photo": ("uint8", free), **knobs},
        {"cartoon": ("uint8", free)},
    )
    assert described("predict_float")[0] == {"photo": ("float32", free), **knobs}
    assert described("predict_float")[1]["cartoon"][0] == "float32"
    assert set(described("coefficients")[1]) == {"scale", "offset"}


def test_a_known_method_by_hand() -> None:
    found = signatures(darken)
    photo = sample_photo(5, 9)
    expected = to_uint8(0.5 * to_float(photo) - 0.25)
    np.testing.assert_array_equal(serve(found, png(photo))[0], expected)
    np.testing.assert_array_equal(found["predict_uint8"](photo[None])["cartoon"][0], expected)
    floats = found["predict_float"](to_float(photo[None]))["cartoon"]
    np.testing.assert_allclose(floats[0], 0.5 * to_float(photo) - 0.25, atol=1e-6)


def test_strength_and_delta_reach_the_method_through_every_signature() -> None:
    found = build_signatures(darken, ServingSettings(), delta=0.5)
    photo = sample_photo(5, 9)
    floats = to_float(photo[None])
    image = tf.constant([png(photo)])
    for given in ({}, {"strength": 1.5, "delta": 0.25}):
        strength, delta = given.get("strength", 1.0), given.get("delta", 0.5)
        knobs = {name: tf.constant(value) for name, value in given.items()}
        model = found["coefficients"](floats, **knobs)
        np.testing.assert_allclose(model["scale"], np.full(floats.shape, 0.5 * strength))
        np.testing.assert_allclose(model["offset"], np.full(floats.shape, -0.25 * delta))
        expected = 0.5 * strength * floats - 0.25 * delta
        np.testing.assert_allclose(
            found["predict_float"](floats, **knobs)["cartoon"], expected, atol=1e-6
        )
        levels = to_uint8(expected)
        np.testing.assert_array_equal(
            found["predict_uint8"](photo[None], **knobs)["cartoon"], levels
        )
        answer = found["serving_default"](image, **knobs)["cartoon_bytes"][0]
        np.testing.assert_array_equal(decode_photo(answer.numpy(), name="a").rgb, levels[0])


def test_one_batch_of_many_sizes_is_each_picture_alone(
    loaded: Signatures, cartoonizer: Cartoonizer
) -> None:
    photos = [sample_photo(*size) for size in [(37, 53), (64, 48), (1, 1), (1, 30), (90, 7)]]
    together = serve(loaded, *map(png, photos))
    for photo, cartoon in zip(photos, together):
        np.testing.assert_array_equal(cartoon, serve(loaded, png(photo))[0])
        assert np.abs(cartoon.astype(int) - cartoonizer(photo)).max() <= 1


def test_a_batch_of_arrays(loaded: Signatures, cartoonizer: Cartoonizer) -> None:
    photos = np.stack([sample_photo(41, 30), sample_photo(41, 30)[::-1]])
    cartoons = loaded["predict_uint8"](photo=tf.constant(photos))["cartoon"].numpy()
    assert cartoons.shape == photos.shape
    assert np.abs(cartoons.astype(int) - cartoonizer(photos)).max() <= 1
    floats = loaded["predict_float"](photo=tf.constant(to_float(photos)))["cartoon"].numpy()
    assert np.abs(to_uint8(floats).astype(int) - cartoons).max() <= 1


@pytest.mark.parametrize("output_size", ["input", "working"])
@pytest.mark.parametrize("size", [(80, 101), (123, 40)])
def test_working_resolution_is_the_command_lines(size: tuple[int, int], output_size: str) -> None:
    photo = sample_photo(*size)
    found = signatures(wavy, short_side=33, output_size=output_size)
    by_name: Callable[..., dict[str, tf.Tensor]] = lambda photo: dict(  # noqa: E731
        zip(("scale", "offset"), wavy(photo))
    )
    expected = Cartoonizer(by_name, metadata={})(photo, short_side=33, output_size=output_size)
    assert (min(expected.shape[:2]) == 33) == (output_size == "working")
    for cartoon in (serve(found, png(photo))[0], found["predict_uint8"](photo[None])["cartoon"][0]):
        assert cartoon.shape == expected.shape
        assert np.abs(np.asarray(cartoon, int) - expected).max() <= 1


def test_transparency_goes_along() -> None:
    photo = sample_photo(40, 60)
    alpha = photo[..., 0]
    found = signatures(darken, short_side=20, output_size="input")
    answer = found["serving_default"](tf.constant([png(photo, alpha)]))["cartoon_bytes"][0]
    back = decode_photo(answer.numpy(), name="answer")
    np.testing.assert_array_equal(back.alpha, alpha)


def test_jpeg_answers() -> None:
    found = signatures(darken, encoding="jpeg", quality=95)
    photo = sample_photo(40, 60)
    answer = found["serving_default"](tf.constant([png(photo)]))["cartoon_bytes"][0]
    back = decode_photo(answer.numpy(), name="answer")
    assert back.format == "JPEG"
    drawn = to_uint8(0.5 * to_float(photo) - 0.25)
    expected = decode_photo(encode_image(drawn, file_format="JPEG", quality=95), name="expected")
    assert np.abs(back.rgb.astype(int) - expected.rgb).mean() < 0.5


@pytest.mark.parametrize("position", [0, 2])
def test_a_broken_picture_fails_the_request_by_its_position(
    loaded: Signatures, position: int
) -> None:
    files = [png(sample_photo(9, 9))] * 3
    files[position] = files[position][:-30]
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"image_bytes\[{position}\]: .*cut"):
        serve(loaded, *files)
    assert len(serve(loaded, png(sample_photo(9, 9)))) == 1, "and the next one is served"


def test_no_pictures_are_no_answers(loaded: Signatures) -> None:
    assert serve(loaded) == []


@pytest.mark.parametrize("signature", ["predict_uint8", "predict_float", "coefficients"])
@pytest.mark.parametrize("shape", [(0, 5, 5, 3), (1, 0, 5, 3), (1, 5, 0, 3)])
def test_arrays_without_pixels_are_an_error_that_says_so(
    loaded: Signatures, signature: str, shape: tuple[int, ...]
) -> None:
    dtype = tf.uint8 if signature == "predict_uint8" else tf.float32
    with pytest.raises(tf.errors.InvalidArgumentError, match="without pixels"):
        loaded[signature](photo=tf.zeros(shape, dtype))


def test_eager_equals_graph(tiny_model: Path) -> None:
    coefficients = partial(EXPORTED.coefficients, load_generator(EXPORTED, tiny_model))
    photo = to_float(sample_photo(38, 51)[None])
    eager = coefficients(tf.constant(photo))
    graph = build_signatures(coefficients, DEFAULT_SETTINGS)["coefficients"](photo)
    np.testing.assert_allclose(graph["scale"], eager[0], atol=1e-5)
    np.testing.assert_allclose(graph["offset"], eager[1], atol=1e-5)
