from __future__ import annotations

import json
import os
import re
import signal

import numpy as np
import pytest
import tensorflow as tf

from tests.training.tiny_method import TinyMethod
from wbc_tf.data.pictures import ImageFolderError
from wbc_tf.files.pictures import read_rgb
from wbc_tf.ops.pool import StructureWorkerError
from wbc_tf.training.loop import LoopSettings, TrainingDivergedError, TrainingError, train

SETTINGS = LoopSettings(checkpoint_every=2, sample_every=4)


def run(method, workdir, settings=SETTINGS):
    return train(
        method,
        workdir=workdir,
        settings=settings,
        strategy=tf.distribute.get_strategy(),
    ).finished


def losses(workdir):
    return [json.loads(line) for line in (workdir / "losses.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    method, workdir = TinyMethod(), tmp_path_factory.mktemp("unbroken")
    assert run(method, workdir)
    return method, losses(workdir)


def test_phases_follow_each_other_and_the_loss_falls(unbroken):
    _, records = unbroken
    assert [record["phase"] for record in records] == ["warm"] * 3 + ["main"] * 5
    assert [record["step"] for record in records] == list(range(1, 9))
    assert records[-1]["fit"] < records[0]["fit"]


def test_each_phase_is_traced_once(unbroken):
    method, _ = unbroken
    assert method.traces == {"warm": 1, "main": 1}


@pytest.mark.parametrize("stop_after", [1, 3, 6])
def test_a_killed_and_resumed_run_goes_on_as_an_unbroken_one(tmp_path, unbroken, stop_after):
    unbroken_method, expected = unbroken
    killed = TinyMethod()
    fatal = KeyboardInterrupt("as abrupt as a Python test can be")
    original = killed._step
    compiled = {}

    def dying(batch, step):
        def check(value):
            if value == stop_after:
                raise fatal
            return np.int32(0)

        with tf.control_dependencies([tf.numpy_function(check, [step], tf.int32)]):
            return original(compiled["phase"], batch, step)

    def phases():
        for phase in TinyMethod.phases(killed):
            compiled["phase"] = phase.name
            yield type(phase)(phase.name, phase.steps, dying)

    killed.phases = phases
    with pytest.raises((KeyboardInterrupt, tf.errors.OpError)):
        run(killed, tmp_path / "run")

    resumed = TinyMethod()
    assert run(resumed, tmp_path / "run")
    records = losses(tmp_path / "run")
    assert [record["step"] for record in records] == [record["step"] for record in expected]
    # One process, one thread of arithmetic this small: equal to the last bit.
    assert [record["fit"] for record in records] == [record["fit"] for record in expected]
    for ours, theirs in zip(resumed.layer.variables, unbroken_method.layer.variables):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_a_finished_run_is_not_trained_again(tmp_path):
    assert run(TinyMethod(), tmp_path)
    before = losses(tmp_path)
    method = TinyMethod()
    assert run(method, tmp_path)
    assert losses(tmp_path) == before
    assert method.traces == {"warm": 0, "main": 0}


@pytest.mark.parametrize("wish", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_returns(tmp_path, wish):
    method = TinyMethod(main_steps=500)
    batches = method.batches

    def batches_that_signal(*, start_step, context=None):
        def pull(step):
            if step == 5:
                os.kill(os.getpid(), wish)
            return np.int64(step)

        steps = tf.data.Dataset.counter(start_step).map(
            lambda step: tf.numpy_function(pull, [step], tf.int64)
        )
        return tf.data.Dataset.zip((batches(start_step=start_step, context=context), steps)).map(
            lambda batch, _: batch
        )

    method.batches = batches_that_signal
    before = signal.getsignal(wish)
    settings = LoopSettings(checkpoint_every=100, sample_every=100)
    outcome = train(
        method, workdir=tmp_path, settings=settings, strategy=tf.distribute.get_strategy()
    )
    assert (outcome.finished, outcome.signal) == (False, wish)
    assert signal.getsignal(wish) is before
    done = losses(tmp_path)[-1]["step"]
    assert 3 < done < 100
    assert (tmp_path / "checkpoints" / f"step-{done}.index").is_file()


def test_a_nan_stops_the_run_and_names_step_term_and_checkpoint(tmp_path):
    with pytest.raises(TrainingDivergedError) as caught:
        run(TinyMethod(poison_step=4), tmp_path)
    message = str(caught.value)
    assert "Step 5 (main)" in message
    assert "fit = nan" in message
    assert "steady" not in message
    assert str(tmp_path / "checkpoints" / "step-4") in message


def test_a_nan_before_the_first_checkpoint_says_so(tmp_path):
    with pytest.raises(TrainingDivergedError, match=r"Last good checkpoint: .*step-0"):
        run(TinyMethod(poison_step=0), tmp_path)


@pytest.mark.parametrize(
    ("place", "error"), [("data", ImageFolderError), ("step", StructureWorkerError)]
)
def test_an_error_for_people_is_a_sentence_wherever_it_is_raised(tmp_path, error, place):
    method = TinyMethod()
    batches, step = method.batches, method._step

    def fail(number):
        if number == 3:
            raise error("photos: it is gone. Put it back.")
        return np.int64(number)

    def failing_batches(**options):
        steps = tf.data.Dataset.counter(options["start_step"])
        numbers = steps.map(lambda number: tf.numpy_function(fail, [number], tf.int64))
        return tf.data.Dataset.zip((batches(**options), numbers)).map(lambda batch, _: batch)

    def failing_step(phase, batch, number):
        with tf.control_dependencies([tf.numpy_function(fail, [number], tf.int64)]):
            return step(phase, batch, number)

    if place == "data":
        method.batches = failing_batches
    else:
        method._step = failing_step
    with pytest.raises(TrainingError) as caught:
        run(method, tmp_path)
    assert re.fullmatch(
        r"photos: it is gone\. Put it back\. Last good checkpoint: .*step-\d\.", str(caught.value)
    )


def test_samples_are_written_as_pictures(tmp_path):
    run(TinyMethod(), tmp_path)
    names = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert names == ["step-0000000.png", "step-0000004.png", "step-0000008.png"]
    # Two columns, named photo and output, the first all grey.
    assert read_rgb(tmp_path / "samples" / names[0]).shape[2] == 3
    assert list((tmp_path / "tensorboard").glob("events*"))


@pytest.mark.parametrize("field", ["checkpoint_every", "sample_every"])
def test_settings_refuse_what_cannot_be(field):
    with pytest.raises(ValueError, match=field):
        LoopSettings(**{field: 0})
