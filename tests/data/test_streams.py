from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.data.crops import CropSampler
from wbc_tf.data.streams import Derived, Source, batch_stream


class Numbered:
    """Stands for a sampler: each crop is filled with its position."""

    def __init__(self, sign=1):
        self.sign = sign

    def crop(self, position):
        return np.full((2, 3, 3), self.sign * (position + 1), np.float32)


def firsts(source, steps, *, batch_size):
    batches = [source.rows(step, range(batch_size), batch_size=batch_size) for step in steps]
    return [int(batch[0, 0, 0, 0]) for batch in batches]


def test_batches_follow_each_other_without_gaps():
    source = Source(Numbered())
    assert firsts(source, range(4), batch_size=4) == [1, 5, 9, 13]
    assert source.rows(2, range(1, 4), batch_size=4)[:, 0, 0, 0].tolist() == [10, 11, 12]


def test_one_batch_in_five_is_from_the_side_and_neither_skips_any():
    source = Source(Numbered(), side=Numbered(-1))
    expected = [-1, 1, 3, 5, 7, -3, 9, 11, 13, 15, -5, 17]
    assert firsts(source, range(12), batch_size=2) == expected


def noise(pictures, positions):
    """Random, from the positions alone."""
    return np.stack(
        [
            picture + np.random.default_rng(position).random(picture.shape, np.float32)
            for picture, position in zip(pictures, positions)
        ]
    )


def stream(folder, *, start_step=0, context=None):
    sources = {
        name: Source(CropSampler(folder, patch_size=16, sides=(0.36, 1.0), seed=3, name=name))
        for name in ("photo", "cartoon", "smooth")
    }
    derived = {
        "noisy": Derived(of="photo", function=noise),
        "twice": Derived(of="noisy", function=lambda pictures, _: 2 * pictures),
    }
    return batch_stream(
        sources, derived, batch_size=4, patch_size=16, start_step=start_step, context=context
    )


def taken(dataset, count):
    return list(itertools.islice(dataset.as_numpy_iterator(), count))


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys() == {"photo", "cartoon", "smooth", "noisy", "twice"}
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])


def test_a_stream_may_start_at_any_step(folder):
    whole = taken(stream(folder), 7)
    for ours, theirs in zip(taken(stream(folder, start_step=4), 3), whole[4:]):
        assert_same(ours, theirs)
    assert np.any(whole[0]["photo"] != whole[0]["cartoon"])
    np.testing.assert_array_equal(whole[2]["twice"], 2 * whole[2]["noisy"])
    np.testing.assert_array_equal(whole[2]["noisy"], noise(whole[2]["photo"], range(8, 12)))


@pytest.mark.parametrize(("workers", "replicas"), [(1, 2), (2, 1), (2, 2)])
def test_the_shares_of_all_devices_are_the_batch_of_one(folder, workers, replicas):
    expected = taken(stream(folder, start_step=3), 2)
    shares = []
    for worker in range(workers):
        context = tf.distribute.InputContext(
            num_input_pipelines=workers,
            input_pipeline_id=worker,
            num_replicas_in_sync=workers * replicas,
        )
        shares.append(taken(stream(folder, start_step=3, context=context), 2 * replicas))
    for step in range(2):
        parts = [
            share[replica]
            for share in shares
            for replica in range(step * replicas, (step + 1) * replicas)
        ]
        together = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        assert_same(together, expected[step])


def test_what_cannot_be_is_refused(folder):
    sources = {"photo": Source(Numbered())}
    with pytest.raises(ValueError, match="'grey' cannot be made from 'cartoon'"):
        batch_stream(sources, {"grey": Derived("cartoon", noise)}, batch_size=2, patch_size=8)
    context = tf.distribute.InputContext(num_input_pipelines=3, num_replicas_in_sync=3)
    with pytest.raises(ValueError, match="4 cannot be shared out evenly among 3 devices"):
        stream(folder, context=context)


def test_shapes_are_static(folder):
    for name in ("photo", "twice"):
        spec = stream(folder).element_spec[name]
        assert spec == tf.TensorSpec((4, 16, 16, 3), tf.float32)
