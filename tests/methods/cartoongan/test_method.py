from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.methods.cartoongan.method import CartoonGan, ImagePool, LinearDecay
from wbc_tf.training.checkpoints import RunCheckpoints
from wbc_tf.training.loop import compile_step

GENERATOR_TERMS = {"generator/adversarial", "generator/content"}
DISCRIMINATOR_TERMS = {
    "discriminator/cartoon",
    "discriminator/edge_smoothed",
    "discriminator/output",
}


def _take(method, steps, *, first, compiled):
    """Steps of a run from `first` on, each phase compiled once, as the loop does it."""
    records = []
    phases = method.phases()
    batches = iter(method.batches(start_step=first))
    for step in range(first, first + steps):
        phase = phases[0] if step < phases[0].steps else phases[1]
        if phase.name not in compiled:
            compiled[phase.name] = compile_step(phase, tf.distribute.get_strategy())
        values = compiled[phase.name](next(batches), tf.constant(step, tf.int64))
        records.append({name: float(value) for name, value in values.items()})
    del batches
    return records


def _weights(method):
    copies = {}
    for name, part in method.state().items():
        variables = part.variables() if callable(part.variables) else part.variables
        copies[name] = [variable.numpy() for variable in variables]
    return copies


def _moved(before, after):
    return {
        name
        for name in before
        if any(np.any(old != new) for old, new in zip(before[name], after[name]))
    }


def test_a_run_goes_through_both_phases_and_resumes_to_the_same_losses(tiny_config, tmp_path):
    method, compiled = CartoonGan(tiny_config()), {}
    start = _weights(method)
    pretraining = _take(method, 3, first=0, compiled=compiled)
    assert all(each.keys() == {"generator_loss", "gradient_norm/generator"} for each in pretraining)
    middle = _weights(method)
    assert _moved(start, middle) == {"generator", "pretrain_optimizer"}

    records = _take(method, 4, first=3, compiled=compiled)
    # Past the pool's two batches, so that the checkpoint's pictures matter.
    RunCheckpoints(tmp_path, method.state()).save(7)
    records += _take(method, 2, first=7, compiled=compiled)
    assert _moved(middle, _weights(method)) == start.keys() - {"pretrain_optimizer"}
    for each in records:
        assert np.isfinite(list(each.values())).all()
        assert {name for name in each if name.startswith("generator/")} == GENERATOR_TERMS
        terms = {name for name in each if name.startswith("discriminator/")}
        assert terms == DISCRIMINATOR_TERMS
        total = each["generator/adversarial"] + 10 / 127.5**2 * each["generator/content"]
        np.testing.assert_allclose(each["generator_loss"], total, rtol=1e-5)
        total = sum(each[name] for name in DISCRIMINATOR_TERMS)
        np.testing.assert_allclose(each["discriminator_loss"], total, rtol=1e-5)

    resumed = CartoonGan(tiny_config())
    assert RunCheckpoints(tmp_path, resumed.state()).restore() == 7
    again = _take(resumed, 2, first=7, compiled={})
    for ours, theirs in zip(again, records[4:]):
        for name, value in theirs.items():
            np.testing.assert_allclose(ours[name], value, rtol=1e-4, err_msg=name)


def test_without_content_and_pool_only_the_game_is_left(tiny_config):
    config = tiny_config(
        content_weight=0, image_pool=0, pretrain_steps=0, allow_random_start=True, steps=1
    )
    method = CartoonGan(config)
    assert "image_pool" not in method.state()
    (record,) = _take(method, 1, first=0, compiled={})
    assert record["generator_loss"] == record["generator/adversarial"]
    assert "generator/content" not in record


def test_half_precision_keeps_losses_in_float32(tiny_config):
    method = CartoonGan(tiny_config(precision="mixed_bfloat16"))
    for record in _take(method, 4, first=0, compiled={}):
        assert np.isfinite(list(record.values())).all()
    columns = method.sample(method.sample_photos())
    assert columns["output"].dtype == tf.float32
    assert columns["output"].shape == columns["photo"].shape == (4, 32, 32, 3)


def test_the_rate_stays_and_then_falls_in_a_line():
    rate = LinearDecay(2e-4, steps=20, decay=0.5)
    rates = [float(rate(tf.constant(step, tf.int64))) for step in (0, 10, 11, 15, 19, 25)]
    np.testing.assert_allclose(rates, np.array([1, 1, 0.9, 0.5, 0.1, 0]) * 2e-4, rtol=1e-5)
    assert float(LinearDecay(2e-4, steps=20, decay=0.0)(19)) == pytest.approx(2e-4)
    assert LinearDecay(**rate.get_config()).get_config() == rate.get_config()


class _Pool:
    """The pool's rule in plain Python, fed with what the tensor one showed: is it possible?"""

    def __init__(self, size):
        self.size, self.kept = size, []

    def check(self, batch, shown):
        if len(self.kept) < self.size:
            self.kept.append(batch)
            return shown == batch
        if shown == batch:
            return True
        if shown not in self.kept:
            return False
        self.kept[self.kept.index(shown)] = batch
        return True


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_the_pool_shows_new_batches_and_swaps_in_earlier_ones(wrap):
    pool, rule = ImagePool(3, (2, 4, 6, 3), seed=1), _Pool(3)
    swap = wrap(lambda batch, step: pool.swap(batch, step=step))
    shown = []
    for step in range(60):
        batch = tf.fill([2, 4, 6, 3], step / 64)  # exact in half precision
        result = swap(batch, tf.constant(step, tf.int64)).numpy()
        assert np.ptp(result) == 0
        shown.append(float(result[0, 0, 0, 0]) * 64)
        assert rule.check(step, shown[-1]), step
    assert shown[:3] == [0, 1, 2]
    earlier = np.mean([value != step for step, value in enumerate(shown)])
    assert 0.3 < earlier < 0.7


def test_all_replicas_share_one_pool():
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    with strategy.scope():
        pool = ImagePool(1, (2, 4, 4, 3), seed=0)

    @tf.function
    def run(step):
        batch = tf.fill([2, 4, 4, 3], tf.cast(step, tf.float32))
        return strategy.run(lambda: pool.swap(batch, step=step))

    seen = [float(run(tf.constant(step, tf.int64))[0, 0, 0, 0]) for step in range(12)]
    assert any(value != step for step, value in enumerate(seen))
