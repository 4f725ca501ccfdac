from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from tests.video.clips import MATRICES, make
from wbc_tf.video.clip import Clip
from wbc_tf.video.colour import Colour
from wbc_tf.video.losses import losses


def test_a_file_loses_nothing_of_itself(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.mp4",
        tags={"title": "x"},
        chapters=[(0, 200, "one")],
        shape=Fraction(4, 3),
        matrix=MATRICES[8],
        colour=(1, 1, 1, 1),
    )
    with Clip(path) as clip:
        form = clip.form
    assert losses(path, form) == []


def test_each_loss_is_named(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", tags={"title": "x", "artist": "y"})
    with Clip(path) as clip:
        form = clip.form
    assert losses(path, form) == []
    wanted = replace(
        form,
        metadata={"TITLE": "x", "artist": "another", "comment": "z"},
        chapters=({"id": 1},),
        pixel_shape=Fraction(4, 3),
        matrix=MATRICES[6],
        colour=Colour(matrix=1),
    )
    assert losses(path, wanted) == [
        "tags that are not kept: artist, comment",
        "chapters are not kept",
        "the pixels' shape (4/3) is not kept",
        "that players are to turn the picture is not kept",
        "what is said of the colours is not kept",
    ]


def test_what_was_never_stated_cannot_be_lost(tmp_path: Path) -> None:
    # VP9 always says limited range.
    path = make(tmp_path / "a.webm", codec="libvpx-vp9")
    with Clip(path) as clip:
        form = clip.form
    assert losses(path, replace(form, colour=Colour())) == []
