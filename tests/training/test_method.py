from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.exported import WHOLE, Exported
from wbc_tf.serving.saved_model import save_generator
from wbc_tf.training.config import TrainingConfig
from wbc_tf.training.method import GanMethod, step_log


def _build(*, dtype: object = "float32") -> tf.keras.Model:
    layer = tf.keras.layers.Conv2D(3, 1, dtype=dtype, name="fit")
    model = tf.keras.Sequential([layer])
    model.build([None, None, None, 3])
    model.get_config = dict
    return model


def _coefficients(generator, photo, strength=1.0, delta=1.0):
    return tf.zeros_like(photo), generator(photo)


SKETCH = Exported(
    method="sketch",
    build=_build,
    coefficients=_coefficients,
    reach=lambda generator: WHOLE,
    bytes_per_pixel=lambda generator: 100,
)


class Data:
    """Batches and photos that tell what they were asked for."""

    def batches(self, *, start_step, context=None):
        return (start_step, context)

    def sample_photos(self):
        return "photos"


def make(**changes) -> GanMethod:
    return GanMethod(TrainingConfig(**changes), exported=SKETCH, data=Data())


def test_two_phases_of_the_configs_length_and_the_runs_data() -> None:
    method = make(pretrain_steps=3, steps=5, batch_size=4)
    assert (method.name, method.batch_size) == ("sketch", 4)
    assert [(phase.name, phase.steps) for phase in method.phases()] == [
        ("pretrain", 3),
        ("adversarial", 5),
    ]
    assert method.batches(start_step=7, context="worker 1") == (7, "worker 1")
    assert method.sample_photos() == "photos"
    assert set(method.state()) == {"generator", "generator_optimizer", "pretrain_optimizer"}
    for step in (method.pretrain_step, method.adversarial_step):
        with pytest.raises(NotImplementedError):
            step({}, tf.constant(0))


def test_the_seed_decides_the_first_weights() -> None:
    first, again, other = (make(seed=seed).generator.get_weights()[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


def test_an_initial_model_gives_the_first_weights_of_generator_and_average(tmp_path) -> None:
    trained = _build()
    save_generator(SKETCH, trained, tmp_path / "m", metadata={"licence": "none"})
    method = make(initial_model=str(tmp_path / "m"), precision="mixed_bfloat16")
    for network in (method.generator, method.averaged_generator()):
        for ours, theirs in zip(network.get_weights(), trained.get_weights()):
            np.testing.assert_array_equal(ours, theirs)


def test_a_step_logs_each_networks_loss_its_terms_and_its_gradient() -> None:
    assert step_log("generator", 3.0, 0.5, {"content": 1.0, "tv": 2.0}) == {
        "generator_loss": 3.0,
        "generator/content": 1.0,
        "generator/tv": 2.0,
        "gradient_norm/generator": 0.5,
    }
    assert step_log("generator", 3.0, 0.5).keys() == {"generator_loss", "gradient_norm/generator"}
