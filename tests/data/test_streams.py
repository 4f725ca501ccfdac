from __future__ import annotations

import itertools

import numpy as np
import tensorflow as tf

from wbc_tf.data.crops import CropSampler
from wbc_tf.data.streams import MainAndSide, batch_stream


class Numbered:
    """Stands for a sampler: each crop is filled with its position."""

    def __init__(self, sign=1):
        self.sign = sign

    def crop(self, position):
        return np.full((2, 3, 3), self.sign * (position + 1), np.float32)


def firsts(batches):
    return [int(batch[0, 0, 0, 0]) for batch in batches]


def test_batches_follow_each_other_without_gaps():
    batches = MainAndSide(main=Numbered(), side=None, batch_size=4)
    assert firsts(map(batches, range(4))) == [1, 5, 9, 13]
    assert batches(2).shape == (4, 2, 3, 3)


def test_one_batch_in_five_is_from_the_side_and_neither_skips_any():
    batches = MainAndSide(main=Numbered(), side=Numbered(-1), batch_size=2)
    assert firsts(map(batches, range(12))) == [-1, 1, 3, 5, 7, -3, 9, 11, 13, 15, -5, 17]


def stream(folder, *, start_step=0):
    parts = {
        name: MainAndSide(
            main=CropSampler(folder, patch_size=16, sides=(0.36, 1.0), seed=3, name=name),
            side=None,
            batch_size=2,
        )
        for name in ("photo", "cartoon")
    }
    shapes = dict.fromkeys(parts, (2, 16, 16, 3))
    return batch_stream(parts, shapes=shapes, start_step=start_step)


def test_a_stream_may_start_at_any_step(folder):
    whole = list(itertools.islice(stream(folder).as_numpy_iterator(), 7))
    tail = list(itertools.islice(stream(folder, start_step=4).as_numpy_iterator(), 3))
    for ours, theirs in zip(tail, whole[4:]):
        assert set(ours) == {"photo", "cartoon"}
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name])


def test_shapes_are_static(folder):
    spec = stream(folder).element_spec
    assert spec["photo"] == tf.TensorSpec((2, 16, 16, 3), tf.float32)
