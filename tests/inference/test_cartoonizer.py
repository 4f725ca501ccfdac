from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import wbc_tf
from wbc_tf.artefact.exported import WHOLE, load_generator
from wbc_tf.artefact.model_directory import (
    ModelNotFoundError,
    find_model,
    load_signatures,
    read_metadata,
)
from wbc_tf.files.pictures import read_rgb
from wbc_tf.images import reduce_to_short_side, to_float, to_uint8
from wbc_tf.inference.brightness import match_brightness
from wbc_tf.inference.cartoonizer import OUTPUT_SIZES, Cartoonizer, MemoryBudgetError
from wbc_tf.inference.full_size import apply_coefficients
from wbc_tf.layers.guided_filter import guided_filter
from wbc_tf.methods.white_box.exported import EXPORTED

NAMES = ["china6", "food6", "liuyifei4", "mountain4", "mountain5", "national_park1"]

# How far a pixel of the cartoon can see, in pixels at full size, along the network. A 3x3
# convolution reaches one pixel of its own grid; the stride-2 ones pad right and bottom only.
REACH = (
    3  # stem, 7x7
    + (2 + 2)  # down_half, conv_half
    + (4 + 4)  # down_quarter, conv_quarter
    + 8 * 4  # four residual blocks of two convolutions
    + 4  # squeeze_quarter
    + (2 + 2 + 2)  # up to a half: the mean of two neighbours; merge_half, squeeze_half
    + (1 + 1)  # up to full size, merge_full
    + 3  # to_rgb, 7x7
    + 2  # guided filter: one for its windows, one for their mean
)


@pytest.fixture(scope="module")
def authors(authors_model: Path) -> Cartoonizer:
    return Cartoonizer.load(authors_model)


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> Cartoonizer:
    return Cartoonizer.load(tiny_model)


def _photo(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


# The authors' own pictures. The tolerance is one grey level because they truncate where we round to
# nearest: ours is theirs or one level above it, half a level on average. Their program also cuts
# the sides to multiples of 8 before the network sees them, which ours never does; so each photo is
# compared twice, cut as theirs (every pixel), and whole (the pixels that cannot see the cut).


def _reference(reference: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The photo at the authors' working resolution, and their cartoon of it."""
    photo = read_rgb(reference / "photos" / f"{name}.jpg")
    return reduce_to_short_side(photo, 720), read_rgb(reference / "cartoons" / f"{name}.png")


@pytest.mark.parametrize("name", NAMES)
def test_every_pixel_is_the_authors(authors: Cartoonizer, reference: Path, name: str) -> None:
    photo, theirs = _reference(reference, name)
    height, width = theirs.shape[:2]
    assert (height, width) == (photo.shape[0] // 8 * 8, photo.shape[1] // 8 * 8)
    ours = authors(photo[:height, :width], short_side=0, output_size="working")
    difference = ours.astype(int) - theirs
    assert difference.min() >= 0
    assert difference.max() <= 1
    assert 0.4 < difference.mean() < 0.6


@pytest.mark.parametrize("name", ["china6", "mountain5"])
def test_uncut_photos_are_the_authors_where_the_cut_is_out_of_sight(
    authors: Cartoonizer, reference: Path, name: str
) -> None:
    photo, theirs = _reference(reference, name)
    assert photo.shape != theirs.shape, "this one needs no cut"
    ours = authors(photo, short_side=0, output_size="working")
    assert ours.shape == photo.shape
    height, width = (
        full if full == cut else cut - REACH for full, cut in zip(photo.shape[:2], theirs.shape)
    )
    difference = ours[:height, :width].astype(int) - theirs[:height, :width]
    assert np.abs(difference).max() <= 1


def test_the_product_reduces_a_large_photo_as_the_authors_do(
    authors: Cartoonizer, reference: Path
) -> None:
    photo = read_rgb(reference / "photos" / "liuyifei4.jpg")
    assert min(photo.shape[:2]) > 720
    theirs = read_rgb(reference / "cartoons" / "liuyifei4.png")
    ours = authors(photo, output_size="working")
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_truncated_like_theirs_the_pictures_are_equal(authors_model: Path, reference: Path) -> None:
    photo, theirs = _reference(reference, "mountain4")
    predict = load_signatures(find_model(authors_model))["predict_float"]
    cartoon = predict(photo=tf.constant(to_float(photo)[None]))["cartoon"][0].numpy()
    truncated = np.clip((cartoon + 1) * 127.5, 0, 255).astype(np.uint8)
    # What is left are levels that float32 puts on either side of a whole number.
    assert (truncated != theirs).mean() < 1e-3


# Any size, any number.


@pytest.mark.parametrize(
    "size", [(401, 603), (64, 1000), (1, 1), (3, 5), (2, 1000), (1000, 2), (4, 4), (1, 6)]
)
def test_every_size_is_kept(tiny: Cartoonizer, size: tuple[int, int]) -> None:
    photo = _photo(*size)
    for output_size in ("input", "working"):
        cartoon = tiny(photo, short_side=0, output_size=output_size)
        assert cartoon.shape == photo.shape
        assert cartoon.dtype == np.uint8


def test_a_working_resolution_comes_back_at_either_size(tiny: Cartoonizer) -> None:
    photo = _photo(61, 90)
    assert tiny(photo, short_side=30).shape == (61, 90, 3)
    assert tiny(photo, short_side=30, output_size="working").shape == (30, 44, 3)
    assert tiny(photo, short_side=100, output_size="working").shape == (61, 90, 3)


def test_the_model_says_how_far_it_sees(authors: Cartoonizer) -> None:
    assert authors.metadata["reach"] == {"halo": REACH, "grid": 4}


def test_padding_shows_in_no_pixel_that_cannot_see_it(tiny: Cartoonizer) -> None:
    photo = _photo(160, 163)
    cut = tiny(photo[:, :160])
    np.testing.assert_array_equal(tiny(photo)[:, : 160 - REACH], cut[:, : 160 - REACH])


def test_a_batch_equals_its_pictures_one_by_one(tiny: Cartoonizer) -> None:
    batch = np.stack([_photo(45, 62, seed) for seed in range(3)])
    for settings in ({}, {"short_side": 20}, {"short_side": 20, "output_size": "working"}):
        together = tiny(batch, **settings)
        alone = np.stack([tiny(photo, **settings) for photo in batch])
        # The two sum in another order, so a level's edge may be crossed.
        assert np.abs(together.astype(int) - alone).max() <= 1
        assert (together != alone).mean() < 1e-3


def test_the_full_size_is_the_coefficients_of_the_reduced_photo(
    tiny: Cartoonizer, tiny_model: Path
) -> None:
    photo = _photo(80, 122)
    signature = load_signatures(find_model(tiny_model))["coefficients"]
    model = signature(photo=tf.constant(to_float(reduce_to_short_side(photo, 40))[None]))
    expected = apply_coefficients(photo, model["scale"][0].numpy(), model["offset"][0].numpy())
    np.testing.assert_array_equal(tiny(photo, short_side=40), expected)


def test_equals_the_models_own_float_picture(tiny: Cartoonizer, tiny_model: Path) -> None:
    photo = _photo(30, 41)
    predict = load_signatures(find_model(tiny_model))["predict_float"]
    cartoon = predict(photo=tf.constant(to_float(photo)[None]))["cartoon"][0].numpy()
    assert np.abs(tiny(photo).astype(int) - to_uint8(cartoon)).max() <= 1


# Tiles. The whole and the parts sum in another order, so a level's edge may be crossed.


def _assert_same_picture(one: np.ndarray, other: np.ndarray) -> None:
    assert np.abs(one.astype(int) - other).max() <= 1
    assert (one != other).mean() < 1e-3


class _Counted:
    """A signature that keeps the sizes it was called with."""

    def __init__(self, signature: Any) -> None:
        self._signature = signature
        self.sizes: list[tuple[int, ...]] = []

    def __call__(self, photo: tf.Tensor, **settings: tf.Tensor) -> Any:
        self.sizes.append(tuple(photo.shape[:3]))
        return self._signature(photo=photo, **settings)


def _counted(model: Path, **settings: Any) -> tuple[Cartoonizer, _Counted]:
    version = find_model(model)
    signature = _Counted(load_signatures(version)["coefficients"])
    return Cartoonizer(signature, metadata=read_metadata(version), **settings), signature


@pytest.mark.parametrize("memory_budget", [2, 5, 11])
@pytest.mark.parametrize("size", [(301, 422), (63, 1999)])
def test_tiled_equals_untiled(
    tiny: Cartoonizer, tiny_model: Path, size: tuple[int, int], memory_budget: int
) -> None:
    photo = _photo(*size)
    tiled, signature = _counted(tiny_model, memory_budget=memory_budget)
    _assert_same_picture(tiled(photo, short_side=0), tiny(photo, short_side=0))
    allowed = memory_budget * 2**20 // tiled.metadata["bytes_per_pixel"]
    assert len(signature.sizes) > 1
    assert max(height * width for _, height, width in signature.sizes) <= allowed


def test_the_authors_network_tiled_equals_untiled(authors_model: Path, reference: Path) -> None:
    photo = read_rgb(reference / "photos" / "mountain4.jpg")[:250, :330]
    whole = Cartoonizer.load(authors_model)(photo)
    _assert_same_picture(Cartoonizer.load(authors_model, memory_budget=24)(photo), whole)


def test_a_halo_too_small_would_show(tiny: Cartoonizer, tiny_model: Path) -> None:
    # Else the tests above could not fail.
    photo = _photo(301, 422)
    version = find_model(tiny_model)
    signature = load_signatures(version)["coefficients"]
    metadata = {**read_metadata(version), "reach": {"halo": 4, "grid": 4}}
    tiled = Cartoonizer(signature, metadata=metadata, memory_budget=2)
    assert (tiled(photo) != tiny(photo)).mean() > 1e-3


def test_a_reduced_picture_is_tiled_at_its_working_size(
    tiny: Cartoonizer, tiny_model: Path
) -> None:
    photo = _photo(402, 610)
    tiled, signature = _counted(tiny_model, memory_budget=2)
    for output_size in OUTPUT_SIZES:
        signature.sizes.clear()
        settings = {"short_side": 251, "output_size": output_size}
        _assert_same_picture(tiled(photo, **settings), tiny(photo, **settings))
        assert len(signature.sizes) > 1


def test_a_batch_is_worked_on_as_the_budget_allows(tiny: Cartoonizer, tiny_model: Path) -> None:
    batch = np.stack([_photo(60, 80, seed) for seed in range(5)])
    limited, signature = _counted(tiny_model, memory_budget=2)
    _assert_same_picture(limited(batch), tiny(batch))
    assert signature.sizes == [(2, 60, 80), (2, 60, 80), (1, 60, 80)]

    batch = np.stack([_photo(150, 200, seed) for seed in range(2)])
    signature.sizes.clear()
    _assert_same_picture(limited(batch), tiny(batch))
    assert {number for number, _, _ in signature.sizes} == {1}


def test_a_model_that_sees_the_whole_picture_is_never_tiled(
    tiny: Cartoonizer, tiny_model: Path
) -> None:
    signature = _Counted(load_signatures(find_model(tiny_model))["coefficients"])
    metadata = {**read_metadata(find_model(tiny_model)), "reach": WHOLE, "bytes_per_pixel": 100}
    whole = Cartoonizer(signature, metadata=metadata, memory_budget=1)
    photo = _photo(90, 112)  # 1 MB is 10,485 pixels
    np.testing.assert_array_equal(whole(photo), tiny(photo))
    assert signature.sizes == [(1, 90, 112)]
    with pytest.raises(MemoryBudgetError, match=r"112 x 94 pixels take 2 MB.*--short_side"):
        whole(_photo(94, 112))
    assert whole(_photo(180, 224), short_side=90, output_size="working").shape == (90, 112, 3)


# Strength and delta.


def test_strength_leads_from_the_photo_through_the_cartoon_and_beyond(tiny: Cartoonizer) -> None:
    photo = np.clip(_photo(30, 41), 60, 190)  # nothing is clipped on the way
    np.testing.assert_array_equal(tiny(photo, strength=0.0), photo)
    np.testing.assert_array_equal(tiny(photo, strength=1.0), tiny(photo))
    cartoon = tiny(photo).astype(int)
    for strength in (0.5, 1.5):
        expected = np.clip(photo + strength * (cartoon - photo), 0, 255)
        assert np.abs(tiny(photo, strength=strength) - expected).max() <= 1


def test_delta_leads_from_the_networks_own_picture_to_the_filtered_one(
    tiny: Cartoonizer, tiny_model: Path
) -> None:
    photo = _photo(32, 44)
    inputs = tf.constant(to_float(photo)[None])
    raw = load_generator(EXPORTED, tiny_model)(inputs)
    filtered = guided_filter(inputs, raw, radius=1, eps=5e-3)
    for delta in (0.0, 0.5, 1.0):
        expected = to_uint8((delta * filtered + (1 - delta) * raw).numpy()[0])
        assert np.abs(tiny(photo, delta=delta).astype(int) - expected).max() <= 1


def test_models_of_earlier_versions_keep_working(tiny: Cartoonizer, tiny_model: Path) -> None:
    """Their signature takes a photo only, and their record has other names."""
    version = find_model(tiny_model)
    signature = load_signatures(version)["coefficients"]
    now = read_metadata(version)
    seen = {"halo": now["reach"]["halo"], "size_multiple": now["reach"]["grid"]}
    before = {"bytes_per_pixel": now["bytes_per_pixel"], **seen}
    old = Cartoonizer(lambda photo: signature(photo=photo), metadata=before)
    photo = _photo(30, 41)
    for strength in (1.0, 0.5):
        np.testing.assert_array_equal(old(photo, strength=strength), tiny(photo, strength=strength))
    with pytest.raises(ValueError, match="delta: this model was exported by an earlier version"):
        old(photo, delta=0.5)


@pytest.mark.parametrize("memory_budget", [-1, 0, 1])
def test_a_budget_for_no_tile_at_all_is_refused(tiny_model: Path, memory_budget: int) -> None:
    with pytest.raises(MemoryBudgetError, match="at least 2 MB"):
        Cartoonizer.load(tiny_model, memory_budget=memory_budget)


# Refusals.


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((1, 1, 4, 4, 3), np.uint8),
    ],
    ids=["float", "grey", "alpha", "rank 5"],
)
def test_other_types_and_shapes_are_refused(tiny: Cartoonizer, images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected uint8 RGB"):
        tiny(images)


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 0, 3), (0, 4, 4, 3)])
def test_nothing_is_no_picture(tiny: Cartoonizer, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="without pixels"):
        tiny(np.zeros(shape, np.uint8))


def test_unknown_settings_are_refused(tiny: Cartoonizer) -> None:
    with pytest.raises(ValueError, match="output_size is one of"):
        tiny(_photo(4, 4), output_size="huge")
    with pytest.raises(ValueError, match="short_side"):
        tiny(_photo(4, 4), short_side=-1)
    with pytest.raises(ValueError, match=r"short_side is a whole number of pixels.*not 1\.5"):
        tiny(_photo(4, 4), short_side=1.5)
    with pytest.raises(ValueError, match=r"strength is between 0 and 1\.5, not nan"):
        tiny(_photo(4, 4), strength=float("nan"))
    with pytest.raises(ValueError, match="delta is between 0 and 1, not 2"):
        tiny(_photo(4, 4), delta=2)


def test_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelNotFoundError, match="no model 'nowhere'"):
        Cartoonizer.load("nowhere")


# The front door.


def test_the_library_exports_it(tiny: Cartoonizer) -> None:
    assert wbc_tf.Cartoonizer is Cartoonizer
    assert tiny.metadata["licence"] == "none"
    with pytest.raises(AttributeError, match="nothing"):
        _ = wbc_tf.nothing


def test_the_embedded_default_draws_a_cartoon() -> None:
    from skimage import data

    cartoonizer = Cartoonizer.load("white_box")
    assert "CC BY-NC-SA" not in cartoonizer.metadata["licence"], "the authors' weights are not ours"
    photo = data.chelsea()
    cartoon = cartoonizer(photo)
    assert cartoon.shape == photo.shape
    difference = np.abs(cartoon.astype(int) - photo)
    assert 1 < difference.mean() < 60, "neither the photo itself nor another picture"


def test_results_are_as_bright_as_their_photos_where_asked_for(tiny: Cartoonizer) -> None:
    photos = np.stack([_photo(40, 61) // 2, 255 - _photo(40, 61) // 3])
    plain = tiny(photos, short_side=24)
    np.testing.assert_array_equal(tiny(photos, short_side=24, match_brightness=False), plain)
    matched = tiny(photos, short_side=24, match_brightness=True)
    for cartoon, drawn, photo in zip(matched, plain, photos):
        np.testing.assert_array_equal(cartoon, match_brightness(drawn, photo))
    # The model's own word is the default.
    told = Cartoonizer(tiny._coefficients, metadata={**tiny.metadata, "match_brightness": True})
    np.testing.assert_array_equal(told(photos, short_side=24), matched)
    np.testing.assert_array_equal(told(photos, short_side=24, match_brightness=False), plain)


def test_a_pickled_one_loads_the_same_model_again(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_model.parent)
    stored = pickle.dumps(Cartoonizer.load(tiny_model.name, memory_budget=300))
    assert len(stored) < 1000, "the path of the network, not the network"
    monkeypatch.chdir(tmp_path)  # as a worker's folder may be another
    copy = pickle.loads(stored)
    photo = _photo(20, 31)
    np.testing.assert_array_equal(copy(photo), Cartoonizer.load(tiny_model)(photo))
    assert copy._memory_budget == 300
    # An embedded model keeps its name: on another machine its place may be another.
    assert str(tmp_path.anchor).encode() not in pickle.dumps(Cartoonizer.load("white_box"))
    made = Cartoonizer(copy._coefficients, metadata=copy.metadata)
    with pytest.raises(TypeError, match=r"only a Cartoonizer that Cartoonizer\.load has made"):
        pickle.dumps(made)
