from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.methods.steps import eager_step, moved, weights
from wbc_tf.artefact.exported import load_generator
from wbc_tf.methods.runs import RunRecord, export_generator
from wbc_tf.methods.white_box import SPEC
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.methods.white_box.generator import Generator
from wbc_tf.methods.white_box.method import WhiteBox
from wbc_tf.training.loop import compile_step

TERMS = {
    "generator_loss",
    "discriminator_loss",
    "generator/surface",
    "generator/texture",
    "generator/structure",
    "generator/content",
    "generator/tv",
    "discriminator/surface",
    "discriminator/texture",
    "gradient_norm/generator",
    "gradient_norm/discriminator",
}


def compiled_steps(method, count, *, phase="adversarial"):
    """The figures of a phase's first steps, compiled as the loop does it."""
    (found,) = (each for each in method.phases() if each.name == phase)
    step = compile_step(found, tf.distribute.get_strategy())
    batches = method.batches(start_step=0).take(count)
    return [step(batch, number) for number, batch in enumerate(batches)]


@dataclasses.dataclass
class Played:
    """Three adversarial steps from the first weights."""

    method: WhiteBox
    records: list
    before: dict
    passes: int  # through the generator, in Python


@pytest.fixture(scope="module")
def played(tiny_config):
    method = WhiteBox(tiny_config())
    result = Played(method, [], weights(method), 0)
    original = Generator.call

    def counting(self, photo):
        result.passes += 1
        return original(self, photo)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Generator, "call", counting)
        result.records = compiled_steps(method, 3)
    return result


def test_one_trace_and_one_pass_through_the_generator(played):
    """Three steps and one pass in Python: the graph was made once, and holds the generator once."""
    assert played.passes == 1


def test_totals_are_the_weighted_terms(played):
    config = played.method.config
    for record in played.records:
        assert record.keys() == TERMS
        total = (
            0.1 * record["generator/surface"]
            + record["generator/texture"]
            + 200 * (record["generator/structure"] + record["generator/content"])
            + 1e4 * record["generator/tv"]
        )
        ours = ("pixel", "gradient", "channel_mean", "contrast", "gradient_count")
        assert {getattr(config, f"{name}_weight") for name in ours} == {0.0}
        assert config.adversarial == "lsgan"
        np.testing.assert_allclose(record["generator_loss"], total, rtol=1e-5)
        game = record["discriminator/surface"] + record["discriminator/texture"]
        np.testing.assert_allclose(record["discriminator_loss"], game, rtol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [{}, {"pretrain_loss": "content", "content_target": "structure", "learning_rate": 2e-3}],
    ids=["pixels", "content of the structure map"],
)
def test_pretraining_makes_its_loss_smaller(tiny_config, changes):
    records = compiled_steps(WhiteBox(tiny_config(**changes)), 25, phase="pretrain")
    assert records[0].keys() == {"generator_loss", "gradient_norm/generator"}
    assert np.mean([r["generator_loss"] for r in records[-5:]]) < records[0]["generator_loss"]


def test_seed_decides_the_first_weights(tiny_config, played):
    again, other = (WhiteBox(tiny_config(seed=seed)) for seed in (played.method.config.seed, 9))
    assert not moved(played.before, weights(again))
    assert moved(played.before, weights(other)) >= {"generator", "surface_discriminator"}


def test_discriminators_may_learn_at_a_rate_of_their_own(tiny_config):
    def first_moves(rate):
        method = WhiteBox(tiny_config(discriminator_rate=rate))
        networks = method.surface_discriminator, method.generator
        before = [trained(network) for network in networks]
        eager_step(method, step=3, phase="adversarial")
        return [trained(network) - start for network, start in zip(networks, before)]

    def trained(network):
        return np.concatenate([each.numpy().ravel() for each in network.trainable_variables])

    (slow, generator), (fast, same) = first_moves(1.0), first_moves(4.0)
    # Adam's first step is the gradient's sign times the rate; rounding may turn a sign or two.
    assert np.mean(np.abs(fast - 4 * slow) > 1e-5) < 0.01
    assert np.mean(np.abs(same - generator) > 1e-5) < 0.01


def test_sample_columns(played):
    photos = played.method.sample_photos()
    columns = played.method.sample(photos)
    assert list(columns) == ["photo", "output", "surface", "structure", "texture"]
    for images in columns.values():
        assert images.shape == photos.shape
        assert np.abs(images).max() <= 1
    np.testing.assert_array_equal(columns["photo"], photos)
    np.testing.assert_array_equal(columns["texture"][..., 0], columns["texture"][..., 2])


def test_a_bound_is_part_of_the_export(tiny_config, tmp_path):
    method = WhiteBox(tiny_config(bound_output="tanh", precision="mixed_bfloat16"))
    last = method.generator.to_rgb
    last.bias.assign([5.0, -5.0, 0.0])
    record = RunRecord(SPEC, method.config, "no commit")
    export_generator(record, method.averaged_generator(), tmp_path / "bounded", step=0)
    output = load_generator(EXPORTED, tmp_path / "bounded")(method.sample_photos())
    assert np.abs(output).max() <= 1
