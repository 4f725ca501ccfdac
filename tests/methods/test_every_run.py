"""What training promises, for every method of the registry and for the toy."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.methods.small import SPECS, full_settings
from tests.methods.steps import GRADIENT_NORMS, close, eager_step, moved, weights
from wbc_tf.training import optimization

#: The phase of each step that is taken here.
PHASES = ("pretrain", "pretrain", "adversarial", "adversarial")


@dataclass
class Run:
    """The first steps of a run, taken without a graph."""

    method: Any
    records: list[dict[str, float]]
    states: list[dict[str, list[np.ndarray]]]  # before, and after each step


def build(name: str, folders: Path, **changes: Any) -> Any:
    """A method of a small run."""
    return SPECS[name].build(SPECS[name].config(**full_settings(name, folders, **changes)))


def _step(method: Any, step: int) -> dict[str, float]:
    figures = eager_step(method, step=step, phase=PHASES[step])
    assert {figure.dtype for figure in figures.values()} == {tf.float32}
    values = {name: float(figure) for name, figure in figures.items()}
    assert np.isfinite(list(values.values())).all()
    return values


@pytest.fixture(scope="module", params=SPECS)
def run(request: pytest.FixtureRequest, folders: Path) -> Run:
    method = build(request.param, folders)
    run = Run(method, [], [weights(method)])
    for step in range(len(PHASES)):
        run.records.append(_step(method, step))
        run.states.append(weights(method))
    return run


def test_the_first_phase_moves_the_generator_and_the_second_all_else(run: Run) -> None:
    start, _, pretrained, _, last = run.states
    assert moved(start, pretrained) == {"generator", "pretrain_optimizer"}
    assert moved(pretrained, last) == start.keys() - {"pretrain_optimizer"}
    assert all("generator_loss" in record for record in run.records)


def test_eager_and_graph_agree(run: Run, fresh_runs: Callable[[str], Path]) -> None:
    compiled = _losses(fresh_runs(run.method.name) / "unbroken")
    for phase, ours, theirs in zip(PHASES, run.records, compiled):
        assert theirs.pop("phase") == phase
        del theirs["step"]
        close(ours, theirs, rtol=1e-3)


def test_the_average_is_of_the_adversarial_steps_and_asking_changes_nothing(run: Run) -> None:
    averages = run.method.averaged_generator().variables
    seen = [state["generator"] for state in run.states[3:]]
    shares = run.method.config.ema_momentum ** np.arange(1, -1, -1)
    for i, average in enumerate(averages):
        expected = np.average([each[i] for each in seen], axis=0, weights=shares)
        np.testing.assert_allclose(average, expected, atol=1e-6)
    assert not moved(run.states[-1], weights(run.method))


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_comes_close_and_keeps_all_but_the_network_in_float32(
    run: Run, folders: Path, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small enough for no step to be skipped: a generator's terms may follow its discriminator's
    # update of the same step.
    monkeypatch.setattr(optimization, "INITIAL_LOSS_SCALE", 2.0**4)
    method = build(run.method.name, folders, precision=precision)
    # One of each phase. CPUs compute float16 slowly, and only the range of its numbers is new.
    for step in (2,) if precision == "mixed_float16" else (1, 2):
        for variable, value in zip(method.generator.variables, run.states[step]["generator"]):
            variable.assign(value)
        close(_step(method, step), run.records[step], rtol=0.05, but=GRADIENT_NORMS)
    assert method.generator.compute_dtype == precision[len("mixed_") :]
    assert {variable.dtype for variable in method.generator.variables} == {tf.float32}
    # After one update of it the average is the weights: nothing is left of its start.
    averaged = method.averaged_generator()
    assert averaged.compute_dtype == "float32"
    for ours, theirs in zip(averaged.get_weights(), method.generator.get_weights()):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    for column, pictures in method.sample(method.sample_photos()[:1]).items():
        assert pictures.shape == (1, 32, 32, 3), column


def _losses(workdir: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (workdir / "losses.jsonl").read_text().splitlines()]


def _checkpoint(workdir: Path) -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(str(workdir / "checkpoints" / "step-6"))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.endswith("VARIABLE_VALUE")
    }


@pytest.mark.parametrize("name", SPECS)
def test_not_a_bit_of_a_resumed_run_is_another(
    fresh_runs: Callable[[str], Path], name: str
) -> None:
    unbroken, resumed = (fresh_runs(name) / run for run in ("unbroken", "resumed"))
    assert [record["step"] for record in _losses(resumed)] == list(range(1, 7))
    assert _losses(resumed) == _losses(unbroken)
    expected = _checkpoint(unbroken)
    for key, value in _checkpoint(resumed).items():
        np.testing.assert_array_equal(value, expected.pop(key), err_msg=key)
    assert not expected


@pytest.mark.parametrize("name", SPECS)
def test_two_devices_do_what_one_does(fresh_runs: Callable[[str], Path], name: str) -> None:
    """Each rounds its half of the batch by itself, and Adam's first steps divide a gradient by its
    own size, so that a rounding error near zero moves a weight all the way."""
    one, two = (fresh_runs(name) / run for run in ("unbroken", "two"))
    for ours, theirs in zip(_losses(two), _losses(one)):
        assert ours.pop("phase") == theirs.pop("phase")
        close(ours, theirs, rtol=2e-3, but=GRADIENT_NORMS)
    expected = _checkpoint(one)
    for key, value in _checkpoint(two).items():
        if key.startswith(("generator/", "discriminator/", "surface_disc", "texture_disc")):
            found, wanted = np.linalg.norm(value), np.linalg.norm(expected[key])
            np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=2e-3, err_msg=key)
