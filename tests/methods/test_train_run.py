"""Whole runs of a small method: what stops them, and what damage to their folder does."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf
from absl import logging
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fresh import in_fresh_process
from tests.training.tiny_method import TinyMethod
from wbc_tf.artefact.model_directory import ModelNotFoundError
from wbc_tf.layers.guided_filter import guided_filter
from wbc_tf.methods import registry, train_run
from wbc_tf.methods.train_run import (
    RunRefusedError,
    RunSettings,
    make_deterministic,
    refuse_mixing,
)
from wbc_tf.training.checkpoints import CheckpointError, RunCheckpoints, find_steps
from wbc_tf.training.config import TrainingConfig
from wbc_tf.training.loop import LoopSettings
from wbc_tf.training.spec import MethodSpec

STEPS = 6


@dataclasses.dataclass(frozen=True)
class TinyConfig(TrainingConfig):
    pass


def build(config):
    return TinyMethod(warm_steps=2, main_steps=config.steps - 2, seed=config.seed)


SPEC = MethodSpec("tiny", "Tiny", TinyConfig, build, exported=lambda: None)


@pytest.fixture(scope="module", autouse=True)
def _tiny_is_known():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.METHODS, "tiny", SPEC)
        patch.setattr(train_run, "source_commit", lambda: "none")
        # The export and its check have tests of their own, with a real network.
        patch.setattr(train_run, "export_generator", _export)
        patch.setattr(train_run, "Cartoonizer", _Loader)
        yield


def _export(record, generator, directory, *, step):
    directory.mkdir(exist_ok=True)
    (directory / "model.txt").write_text(f"step {step}")


class _Loader:
    @staticmethod
    def load(directory):
        model = directory / "model.txt"
        if not model.is_file() or model.read_bytes() != f"step {STEPS}".encode():
            raise ModelNotFoundError(f"{directory}: no model")


@pytest.fixture
def warnings(monkeypatch):
    found = []
    monkeypatch.setattr(logging, "warning", lambda text, *args: found.append(text % args))
    return found


def go(workdir, **changes):
    config = TinyConfig(**{"steps": STEPS, "pretrain_steps": 2, **changes})
    loop = LoopSettings(checkpoint_every=2, sample_every=3, log_every=1)
    return train_run.train_run(SPEC, config, RunSettings(workdir, loop=loop))


def losses(workdir):
    return [json.loads(line) for line in (workdir / "losses.jsonl").open()]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _tiny_is_known):
    workdir = tmp_path_factory.mktemp("runs") / "finished"
    assert go(workdir).finished
    return workdir


def files_of(workdir):
    return {
        path.relative_to(workdir): path.read_bytes()
        for path in sorted(workdir.rglob("*"))
        if path.is_file()
    }


def test_a_run_leaves_what_it_promises(finished):
    assert find_steps(finished / "checkpoints") == [2, 4, 6]
    assert [record["step"] for record in losses(finished)] == list(range(1, STEPS + 1))
    assert json.loads((finished / "config.json").read_text())["method"] == "tiny"
    assert (finished / "model" / "model.txt").is_file()


def damage(data, how):
    if how == "cut off":
        return data[: len(data) // 2]
    changed = bytearray(data)
    for place in random.Random(0).sample(range(len(data)), k=min(len(data), 40)):
        changed[place] ^= 0x5A
    return bytes(changed)


#: What a resumed run reads, besides older checkpoints when the newest is damaged.
READ = ("config.json", "losses.jsonl", "model.txt", "step-6.")


@pytest.mark.parametrize("how", ["removed", "cut off", "garbled"])
def test_damage_to_any_single_file_costs_nothing_else(finished, tmp_path, how, warnings):
    expected = losses(finished)
    intact = files_of(finished)
    refused = []
    for number, name in enumerate(intact):
        if how != "removed" and not name.name.startswith(READ):
            continue
        workdir = tmp_path / str(number)
        shutil.copytree(finished, workdir)
        damaged = workdir / name
        if how == "removed":
            damaged.unlink()
        else:
            damaged.write_bytes(damage(intact[name], how))
        warnings.clear()
        try:
            assert go(workdir).finished
        except (RunRefusedError, CheckpointError) as error:
            refused.append((name.name, str(workdir) in str(error)))
        else:
            again = [record for record in losses(workdir) if record in expected]
            missing = len(expected) - len(again)
            # Lines that were lost with their file cannot come back, but their loss is told.
            assert missing == 0 or (name.name == "losses.jsonl" and "of 6 steps" in warnings[0])
            if name.name.startswith("step-6."):
                assert "step-6: this checkpoint is damaged" in warnings[0]
                assert "Going on from the newest intact one, step 4" in warnings[0]
            assert (workdir / "model" / "model.txt").read_text() == f"step {STEPS}"
        unchanged = ("step-2.", "step-4.", "step-6.", "config.json")
        for other, content in intact.items():
            if other != name and other.name.startswith(unchanged):
                found = (workdir / other).read_bytes()
                # The step that was lost is trained once more, and its two files written anew.
                retrained = name.name.startswith("step-6.") and other.name.startswith("step-6.")
                assert found == content or retrained, (name, other)
    assert refused == [("config.json", True)]


def test_no_intact_checkpoint_stops_the_run(finished, tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(finished, workdir)
    for index in workdir.glob("checkpoints/*.index"):
        index.write_bytes(b"garbage")
    before = files_of(workdir)
    with pytest.raises(CheckpointError, match=r"step-6: .*step-4: .*step-2: .*No other is left"):
        go(workdir)
    shutil.rmtree(workdir / "checkpoints")
    with pytest.raises(CheckpointError, match=r"tells of 6 steps, but there is no checkpoint"):
        go(workdir)
    for name, content in before.items():
        if name.parts[0] not in ("checkpoints", "lock"):
            assert (workdir / name).read_bytes() == content


@pytest.fixture(scope="module")
def intact_layers(finished):
    """Step -> the layer's variables in its checkpoint."""
    method = TinyMethod(warm_steps=2, main_steps=STEPS - 2)
    checkpoints, found = RunCheckpoints(finished / "checkpoints", method.state()), {}
    for step in (4, STEPS):
        checkpoints.restore(checkpoints.kept[step])
        found[step] = [variable.numpy() for variable in method.layer.variables]
    return found


# Kept short here. Ten minutes of the like on a busy machine (1,056 cases) found nothing more.
@settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    which=st.integers(0, 1),
    start=st.floats(0, 1, exclude_max=True),
    length=st.integers(0, 64),
    filling=st.binary(max_size=64),
)
def test_no_damage_to_a_checkpoint_goes_unseen(
    finished, intact_layers, tmp_path, which, start, length, filling
):
    """Any bytes replaced by any others: the same state as before, or the next older one."""
    folder = tmp_path / "checkpoints"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(finished / "checkpoints", folder)
    path = sorted(folder.glob("step-6.*"))[which]
    data = path.read_bytes()
    place = int(start * len(data))
    path.write_bytes(data[:place] + filling + data[place + length :])

    method = TinyMethod(warm_steps=2, main_steps=STEPS - 2)
    restored = RunCheckpoints(folder, method.state()).restore()
    for ours, theirs in zip(method.layer.variables, intact_layers[restored]):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_from_before_a_field_existed_is_resumed(finished, tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(finished, workdir)
    recorded = workdir / "config.json"
    document = json.loads(recorded.read_text())
    del document["config"]["precision"]
    recorded.write_text(json.dumps(document))
    refuse_mixing(SPEC, TinyConfig(steps=STEPS, pretrain_steps=2), workdir)
    with pytest.raises(RunRefusedError, match="--seed was 0, now 1"):
        refuse_mixing(SPEC, TinyConfig(steps=STEPS, pretrain_steps=2, seed=1), workdir)
    with pytest.raises(RunRefusedError, match="--precision was 'float32', now 'mixed_bfloat16'"):
        go(workdir, precision="mixed_bfloat16")


def save_on_a_full_disk(folder):
    """What saving says; no file may grow beyond 1 kB."""
    import resource

    checkpoints = RunCheckpoints(folder, TinyMethod().state())
    checkpoints.save(1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    with pytest.raises(CheckpointError) as raised:
        checkpoints.save(2)
    return str(raised.value)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process")
def test_a_full_disk_leaves_the_older_checkpoint_and_no_rubbish(tmp_path):
    message = in_fresh_process(save_on_a_full_disk, tmp_path)
    assert f"{tmp_path / 'step-2'}: this checkpoint cannot be written (" in message
    assert message.endswith("Checkpoints that are there: step 1")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["step-1.data-00000-of-00001", "step-1.index"]


def repeated_gradient():
    """How many different results there are."""
    make_deterministic()
    random = np.random.default_rng(0)
    images, weights = (tf.constant(random.random((4, 64, 64, 3)), tf.float32) for _ in range(2))

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(weights * guided_filter(images, images, radius=5, eps=0.2))
        return tape.gradient(total, images)

    return len({gradient().numpy().tobytes() for _ in range(200)})


def test_a_deterministic_step_gives_the_same_bits_each_time():
    """Without the one thread, one in eight of these sums comes out in another order."""
    assert in_fresh_process(repeated_gradient, environment={"TF_NUM_INTRAOP_THREADS": None}) == 1


def test_it_is_too_late_for_that_once_tensorflow_has_started(finished):
    with pytest.raises(RunRefusedError, match="has not computed anything yet"):
        make_deterministic()


def test_global_random_states_are_given_back(tmp_path):
    state, arrays = random.getstate(), np.random.get_state()[1].copy()
    go(tmp_path / "run")
    assert random.getstate() == state
    np.testing.assert_array_equal(np.random.get_state()[1], arrays)


@pytest.mark.parametrize(
    ("name", "expected"), [("none", 1), ("multi_worker", "needs TF_CONFIG to name the workers")]
)
def test_strategies(name, expected, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if isinstance(expected, int):
        assert train_run.make_strategy(name).num_replicas_in_sync == expected
    else:
        with pytest.raises(RunRefusedError, match=expected):
            train_run.make_strategy(name)
