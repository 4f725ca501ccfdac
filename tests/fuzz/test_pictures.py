"""Pictures with any damage: written right or refused with a reason, and nothing else happens."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import event, example, given
from hypothesis import strategies as st

from tests.every_picture import good_pictures
from tests.fuzz.damage import EDITS, Edit, damaged, fuzz, with_png_sums
from tests.fuzz.recorder import Recorder
from wbc_tf.files.formats import FORMATS
from wbc_tf.files.pictures import read_photo
from wbc_tf.inference.jobs import Job
from wbc_tf.inference.photos import cartoonize_photos
from wbc_tf.inference.report import Entry
from wbc_tf.inference.settings import DrawSettings

SEEDS = {name: data for name, data in good_pictures().items() if "/" not in name and len(name) < 99}


def negative(rgb: np.ndarray, **_: object) -> np.ndarray:
    """Stands in for a model."""
    return 255 - rgb


def attack(content: bytes, ending: str) -> Entry:
    """Has a picture drawn; returns what became of it, and checks that it is true."""
    with tempfile.TemporaryDirectory(prefix="wbc-fuzz-") as name:
        source, target = Path(name, "in"), Path(name, "out", f"x{ending}")
        source.write_bytes(content)
        listener = Recorder()
        cartoonize_photos(
            negative,
            [Job(source, target)],
            DrawSettings(short_side=0),
            max_pixels=200_000,
            listener=listener,
        )
        (entry,) = listener.entries
        left = [path for path in Path(name).rglob("*") if path.is_file() and path != source]
        if entry.status == "failed":
            assert left == []
            assert entry.error is not None
            assert entry.error.startswith(str(source)), entry.error
            return entry
        assert (entry.status, left) == ("written", [target])
        before, after = (read_photo(path, animated=True) for path in (source, target))
        assert after.rgb.shape == before.rgb.shape
        if before.animation is not None and ending in (".gif", ".webp", ".png"):
            assert entry.frames == len(before.animation)
            assert after.animation is not None or ending == ".webp"  # which merges equal frames
        lossless = ending in (".png", ".bmp", ".tif") and before.animation is None
        if lossless and before.alpha is None:
            np.testing.assert_array_equal(after.rgb, 255 - before.rgb)
        return entry


@fuzz(60)
@example(name="grey.jpg", edits=[], sums=False, ending=".jpg")
@given(
    name=st.sampled_from(sorted(SEEDS)),
    edits=EDITS,
    sums=st.booleans(),
    ending=st.sampled_from(sorted(FORMATS.values())),
)
def test_any_damage(name: str, edits: list[Edit], sums: bool, ending: str) -> None:
    content = damaged(SEEDS[name], edits)
    entry = attack(with_png_sums(content) if sums else content, ending)
    if not edits:
        assert entry.status == "written"
    event(entry.status)
