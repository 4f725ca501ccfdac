from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.weights import assign_strictly, named_variables
from wbc_tf.methods.animegan_v2 import names
from wbc_tf.methods.animegan_v2.config import AnimeGanV2Config
from wbc_tf.methods.animegan_v2.generator import Generator
from wbc_tf.methods.animegan_v2.method import AnimeGanV2

Golden = Mapping[str, np.ndarray]


@pytest.fixture(scope="module")
def golden(animegan: Path) -> Golden:
    """The authors' training graph over five steps, VGG cut at block3_conv4."""
    with np.load(animegan / "train_step.npz") as file:
        return {key: file[key] for key in file.files}


@pytest.fixture(scope="module")
def run(animegan: Path, shared: Path, folders: Path, hayao: Generator) -> AnimeGanV2:
    """A run with the reference's networks, VGG and weights of the losses (Shinkai)."""
    shinkai = AnimeGanV2Config.presets()["animegan_v2_shinkai"]
    recipe = {
        name: getattr(shinkai, name)
        for name in shinkai.__dataclass_fields__
        if name.endswith("_weight")
    }
    config = AnimeGanV2Config(
        photo_dir=str(folders / "photo"),
        cartoon_dir=str(folders / "cartoon"),
        patch_size=32,
        batch_size=2,
        vgg_layer="block3_conv4",
        vgg_weights=str(shared / "reference/vgg19/vgg19_blocks1-3.h5"),
        ema_momentum=0.0,
        **recipe,
    )
    return AnimeGanV2(config)


@pytest.fixture
def start(run: AnimeGanV2, hayao: Generator, animegan: Path) -> AnimeGanV2:
    """The same run, at its starting point."""
    run.generator.set_weights(hayao.get_weights())
    prefix = "discriminator/"
    with np.load(animegan / "discriminator.npz") as file:
        values = {
            name: file[("u_converged" if name.endswith("/u") else "var") + f"/{prefix}{name}"]
            for name in named_variables(run.discriminator)
        }
    assign_strictly(named_variables(run.discriminator), values, source="discriminator.npz")
    for optimizer in (run.pretrain_optimizer, run.average.optimizer, run._discriminator_optimizer):
        for variable in optimizer.variables[:1] + optimizer.variables[2:]:  # [1] is the rate
            variable.assign(tf.zeros_like(variable))
    return run


def _batch(golden: Golden) -> dict[str, tf.Tensor]:
    theirs = {"smooth_gray": "anime_smooth_gray"}
    return {
        name: tf.constant(golden[f"in/{theirs.get(name, name)}"])
        for name in ("photo", "anime", "anime_gray", "smooth_gray")
    }


def _published(run: AnimeGanV2) -> dict[str, tf.Variable]:
    """Trainable variables by the authors' names."""
    ours = named_variables(run.generator)
    generator = {theirs: ours[name] for theirs, name in names.GENERATORS["full"].items()}
    discriminator = {
        f"discriminator/{name}": variable
        for name, variable in named_variables(run.discriminator).items()
        if not name.endswith("/u")
    }
    return generator | discriminator


def _values(run: AnimeGanV2) -> dict[str, np.ndarray]:
    return {name: variable.numpy() for name, variable in _published(run).items()}


def _same_updates(before: dict, after: dict, golden: Golden, kind: str, scope: str) -> None:
    """Almost rate * sign(gradient), so entries with a gradient near zero may go the other way."""
    checked = 0
    for key in golden:
        if not key.startswith(f"{kind}_norm/{scope}"):
            continue
        name = key.split("_norm/", 1)[1]
        step = after[name] - before[name]
        np.testing.assert_allclose(np.linalg.norm(step), golden[key], rtol=5e-3, err_msg=name)
        head = golden[f"{kind}_head/{name}"]
        close = np.abs(step.ravel()[:64] - head) <= 0.02 * np.abs(head).max()
        assert close.mean() >= 0.95, name
        checked += 1
    assert checked > 10


def _same_norm(found: tf.Tensor, golden: Golden, kind: str, rtol: float) -> None:
    """The norm over all variables, of the norms stored by variable."""
    norms = [value for key, value in golden.items() if key.startswith(f"{kind}_norm/")]
    np.testing.assert_allclose(found, np.linalg.norm(norms), rtol=rtol)


def test_the_initial_phase_equals_the_authors(start: AnimeGanV2, golden: Golden) -> None:
    batch, step = _batch(golden), tf.function(start.pretrain_step, autograph=False)
    before, totals = _values(start), []
    for number in range(5):
        log = step(batch, tf.constant(number, tf.int64))
        totals.append(log["generator_loss"].numpy())
        if number == 0:
            _same_norm(log["gradient_norm/generator"], golden, "grad_init", 1e-4)
            _same_updates(before, _values(start), golden, "step_init", "generator/")
    np.testing.assert_allclose(totals[0], golden["loss/init_total"], rtol=1e-5)
    np.testing.assert_allclose(totals, golden["sequence/init_total"], rtol=1e-2)


def test_the_adversarial_steps_equal_the_authors(start: AnimeGanV2, golden: Golden) -> None:
    """The discriminator's step, then the generator's against the moved discriminator."""
    batch, step = _batch(golden), tf.function(start.adversarial_step, autograph=False)
    before, totals = _values(start), []
    for number in range(5):
        log = step(batch, tf.constant(number, tf.int64))
        totals.append([log["discriminator_loss"].numpy(), log["generator_loss"].numpy()])
        if number == 0:
            for name in ("content", "style", "color", "tv"):
                theirs = golden[f"loss/{name}"]
                np.testing.assert_allclose(log[f"generator/{name}"], theirs, rtol=1e-5)
            _same_norm(log["gradient_norm/discriminator"], golden, "grad_d", 5e-4)
            _same_norm(log["gradient_norm/generator"], golden, "after_d/grad_g", 5e-3)
            _same_updates(before, _values(start), golden, "step_d", "discriminator/")
            _same_updates(before, _values(start), golden, "after_d/step_g", "generator/")
    np.testing.assert_allclose(totals[0][0], golden["loss/d_total"], rtol=1e-5)
    np.testing.assert_allclose(totals[0][1], golden["after_d/g_total"], rtol=1e-5)
    np.testing.assert_allclose(totals, golden["sequence/d_g_total"], rtol=1e-3)


def test_output_and_logits_equal_the_authors(start: AnimeGanV2, golden: Golden) -> None:
    batch = _batch(golden)
    output = start.generator(batch["photo"])
    np.testing.assert_allclose(output, golden["generated"], rtol=0, atol=5e-5)
    for name, pictures in {**batch, "generated": output}.items():
        if name != "photo":
            logits = start.discriminator(pictures)
            np.testing.assert_allclose(logits, golden[f"logit/{name}"], rtol=0, atol=5e-5)


def test_what_a_checkpoint_holds_and_what_is_shown(
    tiny_config: Callable[..., AnimeGanV2Config],
) -> None:
    run = AnimeGanV2(tiny_config())
    assert {"discriminator", "discriminator_optimizer", "pretrain_optimizer"} < run.state().keys()
    # Three rates, and moments of its own for each.
    rates = [run.pretrain_optimizer, run.average.optimizer, run._discriminator_optimizer]
    np.testing.assert_allclose([float(each.learning_rate) for each in rates], [2e-4, 2e-5, 4e-5])
    assert {each.epsilon for each in rates} == {1e-8}
    columns = run.sample(run.sample_photos())
    assert list(columns) == ["photo", "output"]
    assert {tuple(images.shape) for images in columns.values()} == {(4, 32, 32, 3)}
