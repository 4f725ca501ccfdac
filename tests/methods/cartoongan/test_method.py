from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.methods.steps import eager_step
from wbc_tf.methods.cartoongan.method import CartoonGan, ImagePool, LinearDecay

GENERATOR_TERMS = {"generator/adversarial", "generator/content"}
DISCRIMINATOR_TERMS = {
    "discriminator/cartoon",
    "discriminator/edge_smoothed",
    "discriminator/output",
}


def test_totals_are_the_weighted_terms(tiny_config):
    method = CartoonGan(tiny_config())
    pretraining = eager_step(method, step=0, phase="pretrain")
    assert pretraining.keys() == {"generator_loss", "gradient_norm/generator"}
    for step in (3, 4):
        each = eager_step(method, step=step, phase="adversarial")
        assert {name for name in each if name.startswith("generator/")} == GENERATOR_TERMS
        terms = {name for name in each if name.startswith("discriminator/")}
        assert terms == DISCRIMINATOR_TERMS
        total = each["generator/adversarial"] + 10 / 127.5**2 * each["generator/content"]
        np.testing.assert_allclose(each["generator_loss"], total, rtol=1e-5)
        total = sum(each[name] for name in DISCRIMINATOR_TERMS)
        np.testing.assert_allclose(each["discriminator_loss"], total, rtol=1e-5)


def test_without_content_and_pool_only_the_game_is_left(tiny_config):
    config = tiny_config(
        content_weight=0, image_pool=0, pretrain_steps=0, allow_random_start=True, steps=1
    )
    method = CartoonGan(config)
    assert "image_pool" not in method.state()
    record = eager_step(method, step=0, phase="adversarial")
    assert record["generator_loss"] == record["generator/adversarial"]
    assert "generator/content" not in record


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
