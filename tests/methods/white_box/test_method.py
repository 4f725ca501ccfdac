from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.exported import load_generator
from wbc_tf.methods.runs import RunRecord, export_generator
from wbc_tf.methods.white_box import SPEC
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.methods.white_box.generator import Generator
from wbc_tf.methods.white_box.method import WhiteBox
from wbc_tf.training.checkpoints import RunCheckpoints
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


class Run:
    """A method and what its steps returned; each phase is compiled once, as the loop does it."""

    def __init__(self, config, *, wrap=compile_step):
        self.method = WhiteBox(config)
        self._wrap = wrap
        self._compiled = {}

    def take(self, steps, *, first=0, phase="adversarial"):
        if phase not in self._compiled:
            found = next(each for each in self.method.phases() if each.name == phase)
            self._compiled[phase] = self._wrap(found, tf.distribute.get_strategy())
        step = self._compiled[phase]
        return [
            {
                name: float(value)
                for name, value in step(batch, tf.constant(first + i, tf.int64)).items()
            }
            for i, batch in enumerate(self.method.batches(start_step=first).take(steps))
        ]


def weights(method):
    """Copies of everything that a checkpoint would hold, by network or optimizer."""
    copies = {}
    for name, part in method.state().items():
        variables = part.variables() if callable(part.variables) else part.variables
        copies[name] = [variable.numpy() for variable in variables]
    return copies


def moved(before, after):
    return {
        name
        for name in before
        if any(np.any(old != new) for old, new in zip(before[name], after[name]))
    }


@dataclasses.dataclass
class Played:
    """Four adversarial steps from the first weights, and all that can be seen of them."""

    method: WhiteBox
    records: list
    before: dict
    after: list  # the generator's weights after each step
    passes: int  # through the generator, in Python
    checkpoints: Path  # one of them, after two steps


MOMENTUM = 0.8


@pytest.fixture(scope="module")
def played(tiny_config, tmp_path_factory):
    run = Run(tiny_config(ema_momentum=MOMENTUM))
    result = Played(run.method, [], weights(run.method), [], 0, tmp_path_factory.mktemp("run"))
    original = Generator.call

    def counting(self, photo):
        result.passes += 1
        return original(self, photo)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Generator, "call", counting)
        for step in range(4):
            result.records += run.take(1, first=step)
            result.after.append(run.method.generator.get_weights())
            if step == 1:
                RunCheckpoints(result.checkpoints, run.method.state()).save(2)
    return result


@pytest.fixture(scope="module")
def tiny_played_config(tiny_config):
    return tiny_config(ema_momentum=MOMENTUM)


def _export(method, directory):
    record = RunRecord(SPEC, method.config, "no commit")
    export_generator(record, method.averaged_generator(), directory, step=4)


def close(records, expected, *, rtol, but=()):
    for ours, theirs in zip(records, expected):
        assert ours.keys() == theirs.keys()
        for name in ours.keys() - set(but):
            np.testing.assert_allclose(ours[name], theirs[name], rtol=rtol, atol=1e-9, err_msg=name)


GRADIENT_NORMS = ("gradient_norm/generator", "gradient_norm/discriminator")


def test_adversarial_steps_move_all_but_the_pretraining(played):
    for record in played.records:
        assert record.keys() == TERMS
        assert np.all(np.isfinite(list(record.values())))
    after = weights(played.method)
    assert moved(played.before, after) == played.before.keys() - {"pretrain_optimizer"}


def test_one_trace_and_one_pass_through_the_generator(played):
    """Four steps and one pass in Python: the graph was made once, and holds the generator once."""
    assert played.passes == 1


def test_totals_are_the_weighted_terms(played):
    config = played.method.config
    for record in played.records:
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


def test_eager_and_graph_agree(tiny_played_config, played):
    eagerly = Run(tiny_played_config, wrap=lambda phase, _: phase.train_step)
    close(eagerly.take(2), played.records, rtol=1e-3)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_stays_close_and_finite(tiny_config, played, precision):
    run = Run(tiny_config(precision=precision))
    records = run.take(2)
    assert np.all(np.isfinite([list(record.values()) for record in records]))
    close(records[:1], played.records, rtol=0.05, but=GRADIENT_NORMS)
    networks = (
        run.method.generator,
        run.method.surface_discriminator,
        run.method.texture_discriminator,
        run.method.averaged_generator(),
    )
    assert {v.dtype for network in networks for v in network.variables} == {tf.float32}
    assert run.method.generator.stem.compute_dtype == precision[len("mixed_") :]
    assert run.method.averaged_generator().stem.compute_dtype == "float32"


def test_moving_average_forgets_its_start(played):
    """Against the weighted mean that it stands for: the first weights have no part in it."""
    averages = played.method.averaged_generator().get_weights()
    shares = MOMENTUM ** np.arange(3, -1, -1)
    for i, average in enumerate(averages):
        expected = np.average([after[i] for after in played.after], axis=0, weights=shares)
        np.testing.assert_allclose(average, expected, atol=1e-6)
    # Asking for it changes nothing.
    for now, then in zip(played.method.generator.get_weights(), played.after[-1]):
        np.testing.assert_array_equal(now, then)


def test_restored_from_a_checkpoint_it_goes_on_alike(tiny_played_config, played):
    resumed = Run(tiny_played_config)
    assert RunCheckpoints(played.checkpoints, resumed.method.state()).restore() == 2
    close(resumed.take(2, first=2), played.records[2:], rtol=1e-5)
    for ours, theirs in zip(
        resumed.method.averaged_generator().get_weights(),
        played.method.averaged_generator().get_weights(),
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_pretraining_moves_the_generator_only(tiny_config):
    run = Run(tiny_config())
    before = weights(run.method)
    # Before the adversarial steps there is no average, and the weights themselves are shown.
    for average, weight in zip(run.method.averaged_generator().get_weights(), before["generator"]):
        np.testing.assert_array_equal(average, weight)
    records = run.take(25, phase="pretrain")
    assert records[0].keys() == {"generator_loss", "gradient_norm/generator"}
    assert np.mean([r["generator_loss"] for r in records[-5:]]) < records[0]["generator_loss"]
    assert moved(before, weights(run.method)) == {"generator", "pretrain_optimizer"}


def test_content_pretraining_towards_the_structure_map(tiny_config):
    run = Run(tiny_config(pretrain_loss="content", content_target="structure", learning_rate=2e-3))
    records = run.take(20, phase="pretrain")
    assert np.mean([r["generator_loss"] for r in records[-5:]]) < records[0]["generator_loss"]


def test_seed_decides_the_first_weights(tiny_config, played):
    again, other = (WhiteBox(tiny_config(seed=seed)) for seed in (played.method.config.seed, 9))
    assert not moved(played.before, weights(again))
    assert moved(played.before, weights(other)) >= {"generator", "surface_discriminator"}


def test_discriminators_may_learn_at_a_rate_of_their_own(tiny_config):
    def first_moves(rate):
        run = Run(tiny_config(discriminator_rate=rate))
        networks = run.method.surface_discriminator, run.method.generator
        before = [trained(network) for network in networks]
        run.take(1)
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


def test_an_export_can_be_trained_further(tiny_config, played, tmp_path):
    _export(played.method, tmp_path / "mine")
    exported = load_generator(EXPORTED, tmp_path / "mine")
    average = played.method.averaged_generator()
    for ours, theirs in zip(exported.get_weights(), average.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    further = WhiteBox(tiny_config(pretrain_steps=0, initial_model=str(tmp_path / "mine")))
    for ours, theirs in zip(further.generator.get_weights(), exported.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_a_bound_is_part_of_the_export(tiny_config, tmp_path):
    method = WhiteBox(tiny_config(bound_output="tanh", precision="mixed_bfloat16"))
    last = method.generator.to_rgb
    last.bias.assign([5.0, -5.0, 0.0])
    _export(method, tmp_path / "bounded")
    output = load_generator(EXPORTED, tmp_path / "bounded")(method.sample_photos())
    assert np.abs(output).max() <= 1


_TWO_DEVICES = """
import json, sys
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.methods.white_box.method import WhiteBox
from wbc_tf.training.loop import compile_step

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    method = WhiteBox(WhiteBoxConfig.from_json(sys.stdin.read()))
step = compile_step(method.phases()[1], strategy)
batches = iter(strategy.experimental_distribute_dataset(method.batches(start_step=0)))
records = [
    {name: float(value) for name, value in step(next(batches), tf.constant(i, tf.int64)).items()}
    for i in range(4)
]
averages = [float(tf.norm(w)) for w in method.averaged_generator().get_weights()]
u = [v.numpy().tolist() for v in method.surface_discriminator.variables if "/u:" in v.name]
print("RESULT" + json.dumps({"records": records, "averages": averages, "u": u}))
"""


def test_two_devices_do_what_one_does(tiny_played_config, played, root):
    """In a process of its own: TensorFlow takes devices only before it starts."""
    done = subprocess.run(
        [sys.executable, "-c", _TWO_DEVICES],
        input=tiny_played_config.to_json(),
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    result = json.loads(done.stdout.split("RESULT")[1])
    # Each device rounds its half of the batch by itself, and Adam's first steps divide a gradient
    # by its own size, so that a rounding error near zero moves a weight all the way.
    close(result["records"], played.records, rtol=2e-3, but=GRADIENT_NORMS)
    averages = [tf.norm(w) for w in played.method.averaged_generator().get_weights()]
    np.testing.assert_allclose(result["averages"], averages, rtol=2e-3, atol=2e-4)
    left = [v for v in played.method.surface_discriminator.variables if "/u:" in v.name]
    for ours, theirs in zip(result["u"], left):
        np.testing.assert_allclose(ours, theirs, atol=2e-3)
