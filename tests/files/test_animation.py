from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from tests.animations import moving, pixels
from wbc_tf.files.animation import FrameSequence, animation_of


def _pictures(count: int) -> list[Image.Image]:
    rgb = np.random.default_rng(0).integers(0, 256, (count, 6, 9, 3), dtype=np.uint8)
    return [Image.fromarray(each) for each in rgb]


def test_frames_are_read_anew_each_time_and_one_by_one() -> None:
    pictures, content = _pictures(3), io.BytesIO()
    pictures[0].save(
        content,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=[30, 40, 50],
        loop=4,
        lossless=True,
    )
    opened = 0

    def reopen() -> Image.Image:
        nonlocal opened
        opened += 1
        return Image.open(io.BytesIO(content.getvalue()))

    animation = animation_of(Image.open(content), 3, reopen=reopen)
    assert (len(animation), animation.loop, opened) == (3, 4, 0)
    for times in (1, 2):
        np.testing.assert_array_equal(pixels(animation), np.stack(pictures))
        assert opened == times


def test_a_sequence_is_a_moving_picture_whose_frames_are_made_when_they_are_sought() -> None:
    made = []

    def pictures() -> Iterator[Image.Image]:
        for number, picture in enumerate(_pictures(3)):
            made.append(number)
            yield picture

    sequence = FrameSequence(pictures(), 3)
    assert (made, sequence.n_frames, sequence.tell()) == ([0], 3, 0)
    assert sequence.size == (9, 6)
    sequence.seek(1)
    assert made == [0, 1]
    np.testing.assert_array_equal(np.asarray(sequence.convert("RGB")), np.asarray(_pictures(3)[1]))
    sequence.seek(0)  # the one that is shown stays
    assert sequence.tell() == 1
    with pytest.raises(EOFError):
        sequence.seek(3)


def test_a_length_is_the_number_of_frames() -> None:
    assert len(moving(np.zeros([3, 4, 5, 3], np.uint8))) == 3
