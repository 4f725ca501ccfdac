from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wbc_tf.additions.config import AddedFields
from wbc_tf.additions.targets import content_target
from wbc_tf.files.pictures import write_image
from wbc_tf.ops.l0_smoothing import l0_smoothing
from wbc_tf.ops.structure_map import structure_map


@pytest.fixture
def photos() -> np.ndarray:
    """Blocks of noise, 6 x 24 x 32."""
    cells = np.random.default_rng(0).uniform(-1, 1, [6, 6, 8, 3]).astype(np.float32)
    return cells.repeat(4, axis=1).repeat(4, axis=2)


def _content(photos: np.ndarray, **settings: object) -> np.ndarray:
    sources, derived = content_target(AddedFields(**settings))
    assert sources == {}
    assert derived.keys() == {"content"}
    assert derived["content"].of == "photo"
    return derived["content"].function(photos, np.arange(10, 10 + len(photos)))


def test_the_photo_itself_is_the_target_of_the_recipes(photos: np.ndarray) -> None:
    np.testing.assert_array_equal(_content(photos), photos)


def test_region_maps_are_the_photos_own_at_sizes_that_vary(photos: np.ndarray) -> None:
    sizes = (2.0, 40.0)
    maps = _content(photos, content_target="structure", content_regions=sizes)
    seen = set()
    for photo, regions in zip(photos, maps):
        candidates = [
            structure_map(photo, kind="felzenszwalb", scale=size, min_size=int(size))
            for size in sizes
        ]
        matches = [np.array_equal(regions, candidate) for candidate in candidates]
        assert any(matches)
        seen.add(matches.index(True))
    assert seen == {0, 1}


def test_smoothed_content_is_the_photos_own(photos: np.ndarray) -> None:
    content = _content(photos, content_target="smoothed", content_smoothing=0.08)
    np.testing.assert_array_equal(content, l0_smoothing(photos, strength=0.08))
    assert np.any(content != photos)


def test_drawn_content_shows_the_same_place_as_its_photo(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for folder in ("photo", "face"):
        cells = random.integers(0, 256, [6, 9, 3], dtype=np.uint8)
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "0.png", cells.repeat(10, axis=0).repeat(10, axis=1))
    config = AddedFields(
        photo_dir=str(tmp_path / "photo"),
        content_target="drawn",
        pair_cache=str(tmp_path / "pairs"),
        pair_sides=(40, 50),
        pair_scales=1,
        patch_size=32,
    )
    sources, derived = content_target(config, side_photo_dir=str(tmp_path / "face"))
    assert derived == {}
    assert sources.keys() == {"photo", "content"}
    for step in (0, 1):  # of the side folder, and of the main one
        photo, drawn = (
            sources[name].rows(step, range(2), batch_size=2) for name in ("photo", "content")
        )
        assert photo.shape == drawn.shape == (2, 32, 32, 3)
        assert np.any(photo != drawn)
        assert np.corrcoef(photo.ravel(), drawn.ravel())[0, 1] > 0.4  # another place: near 0
