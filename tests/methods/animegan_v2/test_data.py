from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from wbc_tf.data.crops import CropSampler
from wbc_tf.data.pictures import PictureCache
from wbc_tf.files.pictures import read_rgb, write_image
from wbc_tf.images import to_float, to_uint8
from wbc_tf.methods.animegan_v2.config import AnimeGanV2Config
from wbc_tf.methods.animegan_v2.data import AnimeGanV2Data, color_shift, gray
from wbc_tf.ops.edge_smoothing import smooth_edges
from wbc_tf.training.data import SAMPLES

Make = Callable[..., AnimeGanV2Config]


def test_four_streams_and_what_each_comes_from(tiny_config: Make) -> None:
    data = AnimeGanV2Data(tiny_config())
    batch = next(iter(data.batches(start_step=3)))
    assert list(batch) == ["photo", "anime", "anime_gray", "smooth_gray"]
    assert {tuple(pictures.shape) for pictures in batch.values()} == {(2, 32, 32, 3)}
    np.testing.assert_array_equal(batch["anime_gray"], gray(batch["anime"].numpy()))
    # The blurred ones show other crops than the coloured ones.
    assert np.abs(batch["smooth_gray"] - batch["anime_gray"]).max() > 0.1
    assert data.sample_photos().shape == (SAMPLES, 32, 32, 3)


def test_batches_follow_from_seed_and_step(tiny_config: Make) -> None:
    config = tiny_config()
    unbroken = list(AnimeGanV2Data(config).batches(start_step=0).take(2))[1]
    resumed = next(iter(AnimeGanV2Data(config).batches(start_step=1)))
    for name, pictures in unbroken.items():
        np.testing.assert_array_equal(pictures, resumed[name], name)


def test_grey_and_blurred_pictures_are_the_authors(animegan: Path) -> None:
    """From the original's own picture files; its grey comes from another formula's rounding."""
    golden = np.load(animegan / "train_step.npz")
    for i in range(2):
        style = to_float(read_rgb(animegan / "loader" / f"style_{i}.png"))[None]
        np.testing.assert_array_equal(style[0], golden["in/anime"][i])
        assert np.abs(gray(style)[0] - golden["in/anime_gray"][i]).max() <= 1.01 / 127.5


def test_blurred_edges_in_grey_follow_the_authors_tool(animegan: Path) -> None:
    golden = np.load(animegan / "edge_smooth.npz")
    for i in range(2):
        rgb = cv2.cvtColor(golden[f"{i}/bgr"], cv2.COLOR_BGR2RGB)
        found = to_uint8(gray(smooth_edges(to_float(rgb)[None])))[0, ..., 0]
        # The tool takes its edges from a grey picture of another rounding, so a few edges differ.
        differences = np.abs(found.astype(int) - golden[f"{i}/smooth_gray"].astype(int))
        assert (differences <= 1).mean() > 0.99


def test_grey_is_luma_in_three_equal_channels() -> None:
    pictures = np.array([[[[1, -1, -1], [-1, 1, -1], [-1, -1, 1]]]], np.float32)
    expected = 2 * np.array([0.299, 0.587, 0.114]) - 1
    np.testing.assert_allclose(gray(pictures)[0, 0], np.tile(expected[:, None], 3), atol=1e-6)


def test_the_colour_shift_makes_the_folders_mean_grey(tmp_path: Path, tiny_config: Make) -> None:
    for name, level in (("a", (110, 140, 125)), ("b", (90, 120, 115))):
        picture = np.broadcast_to(np.array(level, np.uint8), [40, 48 if name == "a" else 64, 3])
        write_image(tmp_path / f"{name}.png", picture.copy())
    cache = PictureCache()
    sampler = CropSampler(tmp_path, patch_size=32, sides=None, seed=0, name="style", cache=cache)
    # Means 100, 130 and 120; their own mean is 116.667.
    shift = color_shift(sampler, cache)
    np.testing.assert_allclose(shift * 127.5, [16.6667, -13.3333, -3.3333], atol=1e-4)

    plain, shifted = (
        next(
            iter(
                AnimeGanV2Data(tiny_config(cartoon_dir=str(tmp_path), color_shift=on)).batches(
                    start_step=0
                )
            )
        )
        for on in (False, True)
    )
    expected = plain["anime"] + shift
    np.testing.assert_allclose(shifted["anime"], expected, atol=1e-6)
    for name in ("photo", "anime_gray", "smooth_gray"):
        np.testing.assert_array_equal(shifted[name], plain[name])
